import Oxbow
import Primitives
import Volume

extension FileSimulation {
    /// One operation on the files of a branch, which must end as the model's does.
    func operate() throws {
        let index = draw(members.count)
        let operation = FileOperation(&random)
        var after = members[index].now
        var refusal: FileModel.Refusal?
        do throws(FileModel.Refusal) { try operation.apply(to: &after) } catch { refusal = error }
        totals.operations += 1
        note("\(members[index].name): \(operation.short)\(refusal.map { ", \($0.kind)" } ?? "")")
        // Where the store fails in the middle, it may be there or not.
        members[index].moments.append(refusal == nil ? after : members[index].now)
        do throws(VolumeError) {
            try operation.apply(to: members[index].files)
        } catch {
            if error.kind != .failed { members[index].moments.removeLast() }
            if error.kind == refusal?.kind { return }
            try expectStore { throw error }
            return
        }
        if let refusal {
            throw Divergence("\(operation.short) was done, and should be refused: \(refusal.kind)")
        }
        if members[index].moments.count > 60 { try sync() }
    }

    /// Opens a file, or reads, writes or closes one that is open, with a name or without.
    func useHandle() throws {
        let index = draw(members.count)
        let count = members[index].handles.count
        if count == 0 || count < 4 && random.oneIn(3) { return try openHandle(index) }
        let which = draw(count)
        let (file, node) = members[index].handles[which]
        switch draw(3) {
        case 0:
            note("\(members[index].name): close inode \(file.number)")
            var after = members[index].now
            after.close(node)
            members[index].moments.append(after)
            members[index].handles.remove(at: which)
        case 1:
            let content = members[index].now.nodes[node]?.content ?? []
            let found = try file.read(at: 0, count: content.count + 10)
            if found != content {
                throw Divergence("inode \(file.number) reads otherwise through its handle")
            }
        default:
            let bytes = [UInt8](repeating: UInt8(draw(256)), count: 1 + draw(20_000))
            let offset = draw(40_000)
            var after = members[index].now
            after.write(bytes, at: offset, of: node)
            note("\(members[index].name): \(bytes.count) bytes to inode \(file.number)")
            members[index].moments.append(after)
            do throws(VolumeError) { try file.write(bytes, at: UInt64(offset)) } catch {
                if error.kind != .failed { members[index].moments.removeLast() }
                try expectStore { throw error }
            }
        }
    }

    private func openHandle(_ index: Int) throws {
        var after = members[index].now
        let paths = [["a"], ["b"], ["c"], ["a", "b"], ["b", "c"], ["c", "a"]]
        let path = paths[draw(paths.count)]
        guard let node = try? after.open(path) else { return }
        let files = members[index].files
        let file = try files.openFile(files.find(path))
        note("\(members[index].name): open \(path) as inode \(file.number)")
        members[index].moments.append(after)
        members[index].handles.append((file, node))
    }

    /// Keeps a moment, to look at it later.
    func remember() throws {
        guard let store else { return }
        try expectStore {
            try store.sync()
            for index in members.indices { members[index].moments = [members[index].now] }
            let point = try store.branch("main").point(at: .head)
            let model = members[0].now
            models[point.lsn] = model
            past.append((point, FileListing(model)))
            note("remember \(point.lsn)")
        }
        if past.count > 8 { models[past.removeFirst().point.lsn] = nil }
    }

    /// A moment gone by still looks as it did.
    func look() throws {
        guard let store, !past.isEmpty else { return }
        let (point, listing) = past[draw(past.count)]
        let view: View
        do throws(OxbowError) { view = try store.branch("main").view(at: point) } catch {
            if error.kind == .notFound { return }
            throw error
        }
        let found = try FileListing(PastFiles(view))
        if let difference = found.difference(from: listing) {
            throw Divergence("at \(point.lsn) main \(difference)")
        }
        totals.looks += 1
    }

    /// Everything is as the model says.
    func compare() throws {
        for member in members {
            let found = try FileListing(member.files)
            if let difference = found.difference(from: FileListing(member.now)) {
                throw Divergence("\(member.name) \(difference)")
            }
        }
    }
}

extension FileOperation {
    /// What is done, without the bytes.
    var short: String {
        switch self {
        case .write(let path, let offset, let bytes): "write \(path) \(offset) \(bytes.count)"
        case .append(let path, let bytes): "append \(path) \(bytes.count)"
        default: "\(self)"
        }
    }
}
