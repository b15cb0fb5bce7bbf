import PageStorage
import Primitives
import TestSupport
import Testing

/// A map in memory against a dictionary, with copies taken on the way that must stay as they were.
@Suite struct OrderedMapTests {
    typealias Model = [MapKey: Int]

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a map holds what was set and not removed, and its copies do not change`(
        seed: UInt64
    ) {
        var random = SeededRandom(test: 700 + seed)
        var map = OrderedMap<Int>()
        var model: Model = [:]
        var copies: [(OrderedMap<Int>, Model)] = []
        for step in 0..<6000 {
            let key = MapKey(UInt64(random.below(3)), UInt64(random.below(1500)))
            switch random.below(8) {
            case 0, 1:
                map.remove(key)
                model[key] = nil
            case 2:
                let found: Int? = map.modify(key) { value in
                    value += 1
                    return value
                }
                if let old = model[key] { model[key] = old + 1 }
                #expect(found == model[key])
            default:
                map.set(key, step)
                model[key] = step
            }
            if step % 500 == 0 { copies.append((map, model)) }
        }
        copies.append((map, model))
        for (map, model) in copies { compare(map, model) }
    }

    @Test(arguments: [true, false])
    func `a map that grows at either end is in order`(isGrowingUp: Bool) {
        var map = OrderedMap<Int>()
        var model: Model = [:]
        for step in 0..<2000 {
            let key = MapKey(1, UInt64(isGrowingUp ? step : 5000 - step))
            map.set(key, step)
            model[key] = step
            if step % 97 == 0 { compare(map, model) }
        }
        compare(map, model)
    }

    private func compare(_ map: OrderedMap<Int>, _ model: Model) {
        let sorted = model.sorted { $0.key < $1.key }
        #expect(map.count == model.count)
        #expect(map.entries.map(\.key) == sorted.map(\.key))
        #expect(map.entries.map(\.value) == sorted.map(\.value))
        #expect(model.allSatisfy { map[$0.key] == $0.value })
        var random = SeededRandom(test: 710)
        for _ in 0..<40 {
            let key = MapKey(UInt64(random.below(4)), UInt64(random.below(6000)))
            let end = MapKey(key.high, key.low + UInt64(random.below(300)))
            #expect(map.contains(key) == (model[key] != nil))
            #expect(map.first(from: key)?.key == sorted.first { $0.key >= key }?.key)
            #expect(map.last(through: key)?.key == sorted.last { $0.key <= key }?.key)
            var visited: [MapKey] = []
            map.visit(from: key, upTo: end) { key, _ in
                visited.append(key)
                return true
            }
            #expect(visited == sorted.map(\.key).filter { $0 >= key && $0 < end })
        }
    }
}
