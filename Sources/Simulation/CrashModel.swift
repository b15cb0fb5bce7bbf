/// What a loss of power may do to what was not synced.
package struct CrashModel: Sendable {
    package enum Fate: Sendable {
        /// Each change is kept or lost by the seed, at odds drawn anew for each file.
        case drawn
        case everythingKept
        case everythingLost
    }

    package var fate: Fate
    /// Writes may be kept in some of their sectors only.
    package var tears: Bool
    /// The sectors that a torn write touches may hold neither the old nor the new bytes. Only the
    /// bytes that were being written suffer: their neighbours in the sector were synced.
    package var garbles: Bool
    /// Changes to a file may come in any order.
    package var reorders: Bool

    package init(
        _ fate: Fate = .drawn,
        tears: Bool = true,
        garbles: Bool = false,
        reorders: Bool = true
    ) {
        self.fate = fate
        self.tears = tears
        self.garbles = garbles
        self.reorders = reorders
    }
}
