import Oxbow

// The example of README.md, with a check behind each step.

func check(_ isSo: Bool, line: Int = #line) {
    if !isSo { fatalError("not as the example says, line \(line)") }
}

let folder = CommandLine.arguments[1]
let store = try Store.open(folder)
let main = try store.branch("main")

let table = ObjectID(1)
let bytes = [UInt8](repeating: 7, count: store.pageSize)
let good = try main.commit { edit in
    try edit.write(bytes, page: 0, of: table)
}
try check(main.read(page: 0, of: table) == bytes)

// A branch of what main shows now, gone in an hour.
let pr = try store.fork("pr-1432", from: main, expires: .after(.seconds(3600)))
try pr.commit { edit in try edit.delete(object: table) }
try check(main.read(page: 0, of: table) == bytes)

// The accident, and the moment before it.
let moment = good.time
try main.commit { edit in try edit.delete(object: table) }
try check(main.read(page: 0, of: table).allSatisfy { $0 == 0 })

let before = try main.point(at: .time(moment))
check(before.lsn == good.lsn)
let rescue = try store.fork("rescue", from: before)
try check(rescue.read(page: 0, of: table) == bytes)
let past = try main.view(at: before)
try check(past.read(page: 0, of: table) == bytes)

try check(store.branches().map(\.name) == ["main", "pr-1432", "rescue"])
try store.close()
print("embedded: ok")
