import PageStorage
import Primitives
import Timelines
import WriteAheadLog

/// What is said of a store that damage keeps from being opened.
extension CheckProblem {
    init(_ damage: Damage, _ files: SegmentFiles) {
        lsn = damage.lsn
        file = files.span(of: files.geometry.segment(of: damage.lsn)).fileName
        what = damage.what
        object = damage.object
        page = damage.page
    }

    /// Where replay ended: with the branch that the record was on, and those that were forked from
    /// it are not known yet.
    init(_ damage: Damage, _ files: SegmentFiles, _ catalog: Catalog, _ nodes: NodeSource) {
        self.init(damage, files)
        guard let timeline = damage.timeline else { return }
        var names: [String] = []
        do throws(LogError) {
            try catalog.branches.visit(nodes) { _, entry throws(LogError) in
                if entry.death == nil, entry.timeline == timeline { names.append(entry.name) }
                return true
            }
        } catch {
            // Damaged, too: what was found so far is said.
        }
        branches = names
    }
}
