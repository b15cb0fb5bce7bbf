/// The machine's random numbers.
package enum SystemEntropy {
    package static func draw() -> UInt64 {
        var system = SystemRandomNumberGenerator()
        return system.next()
    }
}
