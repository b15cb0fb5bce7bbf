package import Oxbow
import PostgresWire

extension BranchInfo {
    /// Refuses a branch that goes by itself: whoever names no branch would find none, and the
    /// console, which has its roles of the default branch, would let nobody in.
    package func checkMayBeDefault() throws(Refusal) {
        guard let expires else { return }
        throw Refusal(
            "55000",
            "branch \"\(name)\" expires at \(expires), and the default branch must stay",
            hint: "Make one that does: CREATE BRANCH ... FROM \(name) NO EXPIRY."
        )
    }
}
