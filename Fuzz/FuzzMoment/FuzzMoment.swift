import Oxbow

@c(LLVMFuzzerTestOneInput)
public func fuzzMoment(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    if let moment = try? Moment(parsing: text), case .time(let time) = moment {
        precondition(LogTime(rfc3339: time.description) == time, "a time does not read back")
    }
    _ = Name.isValid(text)
    return 0
}
