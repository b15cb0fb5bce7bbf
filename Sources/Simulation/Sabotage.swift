import Oxbow
import Primitives

/// A law that is broken on purpose, so that a test can see that a run finds it.
package enum Sabotage: CaseIterable, Sendable {
    /// The disk says that it synced, and did not, and nobody is told.
    case ignoredSyncs
    /// A commit that was acknowledged is not in the model: as if the store had kept what it
    /// refused.
    case forgottenCommit
    /// The model has a commit that the store never made: as if the store had lost it.
    case inventedCommit
    /// A page of the model is another: as if the store had read wrong bytes.
    case wrongPage
    /// A page of the model is not there: as if the store had brought a deleted one back.
    case missingPage
    /// A branch is protected in the model only: as if the store had lost a change to a branch.
    case lostProtection
    /// A reading of the disk is spoilt, and nobody is told: as if damage had been reported falsely.
    case hiddenRot
    /// The disk answers nothing any more after a while: as if the store never ended.
    case endlessReading
}

extension StoreSimulation {
    /// Breaks the law, once there is something to break it on. Called before each operation.
    func breakTheLaw() {
        guard let sabotage, let model, model.states.count > 40 else { return }
        if sabotage == .ignoredSyncs {
            disk.inject(FaultRule(.ignoredSync, on: .sync, .nth(1), times: .max))
            return
        }
        guard !isSabotaged, let branch = someBranch(where: { $0.pages.count > 4 }) else { return }
        isSabotaged = true
        note("sabotage: \(sabotage)")
        var pages = branch.pages
        let mark = branch.head.mark
        switch sabotage {
        case .ignoredSyncs: break
        case .forgottenCommit:
            _ = try? opened.branch(branch.id).commit {
                try $0.delete(page: 0, of: someKey().object)
            }
        case .inventedCommit:
            let later = ModelMark(lsn: mark.lsn, time: mark.time)
            self.model?.replaceCurrent { $0.apply(.commit(branch.id, pages), later) }
            self.model?.replaceCurrent { $0.apply(.rename(branch.id, "never", .init()), later) }
        case .wrongPage:
            for key in pages.keys { pages[key] = nextContent() }
            self.model?.replaceCurrent { $0.apply(.commit(branch.id, pages), mark) }
        case .missingPage:
            for key in pages.keys { pages[key] = nil }
            self.model?.replaceCurrent { $0.apply(.commit(branch.id, pages), mark) }
        case .lostProtection:
            self.model?.replaceCurrent {
                $0.apply(.protect(branch.id, !branch.isProtected, .init()), mark)
            }
        case .hiddenRot:
            disk.rot(count: 200)
            _ = disk.takeEvents()
        case .endlessReading: disk.limit(operations: 20)
        }
    }
}
