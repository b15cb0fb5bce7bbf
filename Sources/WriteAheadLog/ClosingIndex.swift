package import DiskIO
package import Primitives

/// The index of a sealed segment, at the end of its file, after the last record.
///
/// Six sections of fixed-size entries, each from a multiple of eight on, and a footer of 256
/// bytes that ends the file. Little-endian:
///
///     records  48 each, by LSN        u64 LSN, time, clock, timeline; u32 length, pages; u8 kind
///     order    4 each                 u32 place in the records, by timeline and LSN
///     blocks   48 each, by timeline,  u64 timeline, object, page, LSN of the commit, and the
///              object, page and LSN   location (16; its LSN as u64), zero for a deletion: 48
///     ranges   40 each, by LSN        u64 timeline, object, from, up to, LSN of the commit
///     roots    32 each, by LSN        u64 timeline, LSN of the record; the root's location
///     extents  1 each, by LSN         bytes, see `SegmentExtents`
///
/// The footer: "OXBOWIDX"; u64 number, generation, end LSN; for each section u64 offset, count and
/// XXH3; XXH3 of the footer up to there. A footer or section that is not sound is built anew from
/// the records.
package struct ClosingIndex: Sendable {
    package static let footerSize = 256
    private static let magic = Array("OXBOWIDX".utf8)

    package struct Section: Sendable, Equatable {
        var offset: UInt64
        var count: UInt64
        var checksum: UInt64
    }

    package enum Part: Int, CaseIterable, Sendable {
        case records, order, blocks, ranges, roots, extents

        var entrySize: Int {
            switch self {
            case .records: 48
            case .order: 4
            case .blocks: 48
            case .ranges: 40
            case .roots: 32
            case .extents: 1
            }
        }
    }

    package let number: SegmentNumber
    package let generation: UInt32
    package let end: LSN
    package private(set) var sections: [Section]

    /// The index as bytes to be written at `offset`.
    package static func encode(
        _ builder: SegmentIndexBuilder,
        extents: SegmentExtents? = nil,
        header: SegmentHeader,
        end: LSN,
        at offset: UInt64
    ) -> [UInt8] {
        invariant(offset % 8 == 0, "an index begins at \(offset)")
        var writer = ByteWriter(
            capacity: builder.records.count * 52 + builder.blocks.count * 48 + 512
        )
        var sections: [Section] = []
        for part in Part.allCases {
            let body = part.encode(builder, extents)
            sections.append(
                Section(
                    offset: offset + UInt64(writer.count),
                    count: UInt64(body.count / part.entrySize),
                    checksum: Checksum.of(body)
                )
            )
            writer.append(raw: body)
            writer.append(raw: Array(repeating: 0, count: aligned(body.count) - body.count))
        }
        writer.append(raw: footer(sections, header, end))
        return writer.bytes
    }

    private static func footer(
        _ sections: [Section],
        _ header: SegmentHeader,
        _ end: LSN
    ) -> [UInt8] {
        var footer = ByteWriter(capacity: footerSize)
        footer.append(raw: magic)
        footer.append(fixed: header.number.rawValue)
        footer.append(fixed: UInt64(header.generation))
        footer.append(fixed: end.rawValue)
        for section in sections {
            footer.append(fixed: section.offset)
            footer.append(fixed: section.count)
            footer.append(fixed: section.checksum)
        }
        footer.append(raw: Array(repeating: 0, count: footerSize - 8 - footer.count))
        footer.append(fixed: Checksum.of(footer.bytes))
        return footer.bytes
    }

    /// The footer of a segment's file; nil where there is no sound one.
    package static func load(
        _ file: any File,
        _ number: SegmentNumber
    ) throws(DiskError) -> ClosingIndex? {
        let length = try file.length()
        guard length >= UInt64(SegmentHeader.size + footerSize) else { return nil }
        let bytes = try file.read(footerSize, at: length - UInt64(footerSize))
        do throws(Malformed) {
            let index = try decode(bytes, fileLength: length)
            return index.number == number ? index : nil
        } catch { return nil }
    }

    package static func decode(
        _ bytes: [UInt8],
        fileLength: UInt64
    ) throws(Malformed) -> ClosingIndex {
        var reader = ByteReader(bytes)
        guard bytes.count == footerSize, try reader.raw(8, "magic") == magic else {
            throw Malformed("not an index", at: 0)
        }
        let number: UInt64 = try reader.fixed("number")
        let generation: UInt64 = try reader.fixed("generation")
        let end: UInt64 = try reader.fixed("end")
        var sections: [Section] = []
        for part in Part.allCases {
            let section = Section(
                offset: try reader.fixed("offset"),
                count: try reader.fixed("count"),
                checksum: try reader.fixed("checksum")
            )
            guard section.count <= fileLength / UInt64(part.entrySize),
                section.offset <= fileLength,
                section.count * UInt64(part.entrySize) <= fileLength - section.offset
            else { throw Malformed("an index's section lies outside of its file", at: 32) }
            sections.append(section)
        }
        let padding = footerSize - 8 - reader.offset
        _ = try reader.raw(padding, "padding")
        let checksum: UInt64 = try reader.fixed("checksum")
        guard checksum == Checksum.of(Array(bytes[..<(footerSize - 8)])) else {
            throw Malformed("an index's checksum", at: footerSize - 8)
        }
        return ClosingIndex(
            number: SegmentNumber(rawValue: number),
            generation: UInt32(truncatingIfNeeded: generation),
            end: LSN(rawValue: end),
            sections: sections
        )
    }

    /// The bytes of a section; nil where they are not what was written.
    package func read(_ part: Part, _ file: any File) throws(DiskError) -> [UInt8]? {
        try read(sections[part.rawValue], of: part.entrySize, file)
    }

    /// The extents of a file of version 1.
    func readWords(_ file: any File) throws(DiskError) -> [UInt8]? {
        let section = sections[Part.extents.rawValue]
        let length = try file.length()
        guard section.count <= length / 24 else { return nil }
        return try read(section, of: 24, file)
    }

    private func read(
        _ section: Section,
        of entrySize: Int,
        _ file: any File
    ) throws(DiskError) -> [UInt8]? {
        let bytes = try file.read(Int(section.count) * entrySize, at: section.offset)
        guard bytes.count == Int(section.count) * entrySize,
            Checksum.of(bytes) == section.checksum
        else { return nil }
        return bytes
    }

    /// Where a section begins in the file.
    func offset(of part: Part) -> UInt64 { sections[part.rawValue].offset }

    /// Where the records end and the index begins.
    package var start: UInt64 { sections.map(\.offset).min() ?? 0 }
}
