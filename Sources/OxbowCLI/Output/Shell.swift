import Primitives

/// Text as a shell takes it.
package enum Shell {
    /// One word, whatever is in it.
    package static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
                || Array("-_./:@%+=,".utf8).contains(byte)
        }
        if isPlain, !text.isEmpty { return text }
        return "'" + text.replacing(marks: ["'": #"'\''"#]) + "'"
    }
}
