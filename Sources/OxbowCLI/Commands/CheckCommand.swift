import Oxbow
import Volume

/// `oxbow check`.
enum CheckCommand {
    static let command = Command(
        "check",
        "Read everything that counts, and say what is damaged",
        discussion: [
            "Holds every record, node and page against its checksums, and the store against its "
                + "laws; and of each branch that holds files, that they hang together. Says of "
                + "each lost page who shows it, now or in history. The exit code is 1 where "
                + "anything is wrong. Nothing is repaired: restore what is lost from elsewhere, or "
                + "from a branch or point that does not show it.",
            "Where what is damaged keeps the store from being opened, that is the one problem "
                + "listed, with the page, and the branch that it was written on, where those can "
                + "be read. Nothing else is looked at then.",
        ],
        examples: [.init("oxbow check && echo sound", "for a timer")],
        keys: [
            .init("sound", "whether nothing is wrong"),
            .init("records", "records that were read and found sound"),
            .init("nodes", "nodes of maps likewise"), .init("pages", "page versions likewise"),
            .init("bytes", "bytes that were read"),
            .init("problems[].lsn", "where it stands"), .init("problems[].file", "in which file"),
            .init("problems[].what", "what is wrong"),
            .init("problems[].object", "the object whose page is lost, or null"),
            .init("problems[].page", "the page that is lost, or null"),
            .init("problems[].branches[]", "the branches and snapshots that show it"),
            .init("problems[].points[]", "the points of history that show it"),
            .init("cutShort", "whether there can be more problems than are listed"),
            .init("volumes[].branch", "a branch that holds files"),
            .init("volumes[].files", "how many files and links it has"),
            .init("volumes[].folders", "how many folders, the root included"),
            .init("volumes[].pages", "how many pages of content those have"),
            .init("volumes[].problems[]", "what is wrong with them; the first thousand"),
            .init("volumes[].problemCount", "how many things are wrong with them"),
        ]
    ) { call in
        var problems: UInt64 = 0
        try whileOpen(call) { store in
            let progress = Progress("checking", call.output)
            defer { progress.finish() }
            let report = try store.check { bytes in
                progress.update("\(Text.bytes(bytes)) read")
            }
            let volumes = try BranchVolume.all(of: store) { name in
                progress.update("the files of \(name)")
            }
            progress.finish()
            let wrong = volumes.reduce(0) { $0 + $1.report.problemCount }
            problems = UInt64(report.problems.count) + wrong
            if call.wantsJSON { return try call.output.json(json(report, volumes)) }
            try call.output.lines(lines(report, volumes, isSound: problems == 0))
        }
        guard problems > 0 else { return }
        try call.output.flush()
        throw Failure(
            "damaged",
            "the store has \(Text.count(problems, "problem"))",
            isTold: call.wantsJSON
        )
    }

    /// Lists what keeps a store from being opened as other problems are.
    private static func whileOpen(_ call: Invocation, _ body: (Store) throws -> Void) throws {
        do { try call.withStore(body) } catch let failure as Failure {
            guard let problem = failure.problem else { throw failure }
            let report = CheckReport(unopened: problem)
            if call.wantsJSON {
                try call.output.json(json(report, []))
            } else {
                try call.output.lines([Text.plain("\(problem)")])
            }
            try call.output.flush()
            throw Failure(
                "damaged",
                "the store does not open, so nothing else was looked at: "
                    + "`oxbow dump` shows what can be read",
                isTold: call.wantsJSON
            )
        }
    }

    private static func lines(
        _ report: CheckReport,
        _ volumes: [BranchVolume],
        isSound: Bool
    ) -> [String] {
        var lines = report.problems.map { Text.plain("\($0)") }
        for volume in volumes {
            lines += volume.report.problems.map { Text.plain("files of \(volume.branch): \($0)") }
        }
        var counts = [
            Text.count(report.records, "record"), Text.count(report.nodes, "node"),
            Text.count(report.pages, "page"), Text.bytes(report.bytes),
        ]
        if !volumes.isEmpty {
            let files = volumes.reduce(0) { $0 + $1.report.files }
            let branches = volumes.count == 1 ? "1 branch" : "\(volumes.count) branches"
            counts.append("\(Text.count(files, "file")) on \(branches)")
        }
        return lines + [(isSound ? "sound: " : "read: ") + counts.joined(separator: ", ")]
    }

    private static func json(_ report: CheckReport, _ volumes: [BranchVolume]) -> JSON {
        let isSound = report.isSound && volumes.allSatisfy { $0.report.problemCount == 0 }
        return [
            "sound": .bool(isSound), "records": JSON(report.records),
            "nodes": JSON(report.nodes), "pages": JSON(report.pages),
            "bytes": JSON(report.bytes), "problems": .array(report.problems.map(json)),
            "cutShort": .bool(report.isCutShort), "volumes": .array(volumes.map(json)),
        ]
    }

    private static func json(_ volume: BranchVolume) -> JSON {
        let report = volume.report
        return [
            "branch": .string(volume.branch), "files": JSON(report.files),
            "folders": JSON(report.folders), "pages": JSON(report.pages),
            "problems": .array(report.problems.map { .string($0) }),
            "problemCount": JSON(report.problemCount),
        ]
    }

    private static func json(_ problem: CheckProblem) -> JSON {
        [
            "lsn": JSON(problem.lsn), "file": .string(problem.file),
            "what": .string(problem.what),
            "object": problem.object.map { JSON($0.rawValue) } ?? nil,
            "page": problem.page.map { JSON($0.rawValue) } ?? nil,
            "branches": .array(problem.branches.map { .string($0) }),
            "points": .array(problem.points.map { JSON($0) }),
        ]
    }
}

/// The files of a branch, and whether they hang together.
struct BranchVolume {
    let branch: String
    let report: VolumeReport

    /// Checks the volumes of all living branches. What several show alike is read once.
    static func all(of store: Store, _ progress: (String) -> Void) throws -> [BranchVolume] {
        struct Shown: Hashable {
            let timeline: TimelineID
            let lsn: LSN
        }
        var known: [Shown: VolumeReport?] = [:]
        var volumes: [BranchVolume] = []
        for info in try store.branches() {
            progress(info.name)
            let report: VolumeReport?
            do {
                let view = try store.branch(info.id).view()
                let shown = Shown(timeline: view.point.timeline, lsn: view.point.lsn)
                report = try known[shown] ?? check(view)
                known[shown] = .some(report)
            } catch let error as OxbowError where error.kind == .damaged {
                report = VolumeReport(unreadable: error.description)
            }
            if let report { volumes.append(BranchVolume(branch: info.name, report: report)) }
        }
        return volumes
    }

    /// Nil where the view shows no files.
    private static func check(_ view: View) throws -> VolumeReport? {
        do throws(VolumeError) {
            return try PastFiles.areHeld(by: view) ? PastFiles(view).check() : nil
        } catch {
            guard error.kind == .damaged else { throw error }
            return VolumeReport(unreadable: error.message)
        }
    }
}
