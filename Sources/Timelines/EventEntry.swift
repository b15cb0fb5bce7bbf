import PageStorage
package import Primitives
import WriteAheadLog

/// A lifecycle record in the history of what it is about; it outlives the log that it came with.
package struct EventEntry: Sendable, Equatable, MapValue {
    package var mark: RecordMark
    package var record: LifecycleRecord

    package init(mark: RecordMark, record: LifecycleRecord) {
        self.mark = mark
        self.record = record
    }

    package static var kind: UInt64 { 9 }

    package func encode(to writer: inout ByteWriter) {
        mark.encode(to: &writer)
        record.change.encode(to: &writer)
        record.authorship.encode(to: &writer)
    }

    package init(decoding reader: inout ByteReader) throws(Malformed) {
        mark = try RecordMark(decoding: &reader)
        record = try LifecycleRecord(decoding: &reader)
    }
}
