import Primitives

/// Who is not authenticated yet: bounded in all and for each address.
///
/// Beyond a bound the one that has been waiting longest goes, and not the one that comes: so one
/// who logs in at once gets in, also while others hold connections that they do nothing with.
// Safe to share: everything that changes is under the lock.
final class Admission: @unchecked Sendable {
    typealias Ticket = UInt64

    private struct Guest {
        let peer: Sockets.Peer
        let evict: @Sendable () -> Void
    }

    private let lock = Lock()
    private let limit: Int
    private let addressLimit: Int
    private var lastTicket: Ticket = 0
    private var guests: [Ticket: Guest] = [:]
    /// The oldest is first. Those who are through are left in, up to a bound.
    private var order: [Ticket] = []
    private var addresses: [Sockets.Peer: [Ticket]] = [:]

    init(limit: Int, perAddress addressLimit: Int) {
        self.limit = limit
        self.addressLimit = addressLimit
    }

    var count: Int { lock.withLock { guests.count } }

    /// Lets somebody in. `evict` may be called later, from any thread.
    func enter(_ peer: Sockets.Peer, evict: @escaping @Sendable () -> Void) -> Ticket {
        let (ticket, evicted) = lock.withLock { () -> (Ticket, [Guest]) in
            var evicted: [Guest] = []
            if addresses[peer, default: []].count >= addressLimit,
                let oldest = addresses[peer]?.first
            {
                evicted += remove(oldest).map { [$0] } ?? []
            }
            if guests.count >= limit, let oldest = order.first(where: { guests[$0] != nil }) {
                evicted += remove(oldest).map { [$0] } ?? []
            }
            lastTicket += 1
            guests[lastTicket] = Guest(peer: peer, evict: evict)
            addresses[peer, default: []].append(lastTicket)
            order.append(lastTicket)
            if order.count > 2 * limit { order.removeAll { guests[$0] == nil } }
            return (lastTicket, evicted)
        }
        for guest in evicted { guest.evict() }
        return ticket
    }

    /// Somebody is authenticated, or gone.
    func leave(_ ticket: Ticket) { _ = lock.withLock { remove(ticket) } }

    private func remove(_ ticket: Ticket) -> Guest? {
        guard let guest = guests.removeValue(forKey: ticket) else { return nil }
        addresses[guest.peer]?.removeAll { $0 == ticket }
        if addresses[guest.peer]?.isEmpty == true { addresses[guest.peer] = nil }
        return guest
    }
}
