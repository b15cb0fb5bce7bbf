/// Settings as a connection's `options` carry them: `-c name=value` and `--name=value`, split at
/// white space, where a backslash takes the next character as it is.
///
/// PostgreSQL takes other switches of its command line there as well. Those are refused: what is
/// handed on has been understood.
package struct StartupOptions: Hashable, Sendable {
    package struct Setting: Hashable, Sendable {
        /// In small letters, with `_` for `-`, as PostgreSQL looks settings up.
        package let name: String
        package let value: WireString

        package init(name: String, value: WireString) {
            self.name = name
            self.value = value
        }
    }

    package var settings: [Setting]

    package init(settings: [Setting] = []) { self.settings = settings }

    package init(parsing options: WireString) throws(WireError) {
        settings = []
        var words = Self.split(options.bytes)[...]
        while let word = words.popFirst() {
            if word == Array("-c".utf8) {
                guard let argument = words.popFirst() else { throw Self.invalid(word) }
                settings.append(try Self.setting(argument, "-c "))
            } else if word.starts(with: "--".utf8) {
                settings.append(try Self.setting(Array(word.dropFirst(2)), "--"))
            } else if word.starts(with: "-c".utf8) {
                settings.append(try Self.setting(Array(word.dropFirst(2)), "-c "))
            } else {
                throw Self.invalid(word)
            }
        }
    }

    private static func setting(
        _ word: [UInt8],
        _ form: StaticString
    ) throws(WireError) -> Setting {
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else {
            let name = String(decoding: word.prefix(80), as: UTF8.self)
            throw WireError(.syntaxError, "\(form)\(name) requires a value")
        }
        guard let name = SettingName.normal(Array(word[..<equals])) else { throw invalid(word) }
        return Setting(name: name, value: WireString(Array(word[(equals + 1)...])))
    }

    private static func invalid(_ word: [UInt8]) -> WireError {
        let text = String(decoding: word.prefix(80), as: UTF8.self)
        return WireError(
            .syntaxError,
            "invalid command-line argument for server process: \(text)",
            detail: "Options are written -c name=value or --name=value."
        )
    }

    private static let backslash = UInt8(ascii: "\\")

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    private static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var isEscaped = false
        for byte in bytes {
            if !isEscaped, byte == backslash {
                isEscaped = true
                // A backslash at the very end stands for nothing, but begins a word.
                word = word ?? []
            } else if !isEscaped, isSpace(byte) {
                if let whole = word { words.append(whole) }
                word = nil
            } else {
                word = (word ?? []) + [byte]
                isEscaped = false
            }
        }
        if let whole = word { words.append(whole) }
        return words
    }

    /// The text that reads as these settings.
    package var text: WireString {
        var bytes: [UInt8] = []
        for setting in settings {
            if !bytes.isEmpty { bytes.append(0x20) }
            bytes += Array("-c \(setting.name)=".utf8)
            for byte in setting.value.bytes {
                if byte == Self.backslash || Self.isSpace(byte) { bytes.append(Self.backslash) }
                bytes.append(byte)
            }
        }
        return WireString(bytes)
    }
}

/// The names of settings.
enum SettingName {
    static let largestCount = 128

    /// A name in small letters with `_` for `-`; nil for what is no name of a setting.
    static func normal(_ bytes: [UInt8]) -> String? {
        guard (1...largestCount).contains(bytes.count) else { return nil }
        let lowered = bytes.map { byte -> UInt8 in
            switch byte {
            case 65...90: byte + 32
            case UInt8(ascii: "-"): UInt8(ascii: "_")
            default: byte
            }
        }
        var startsPart = true
        for byte in lowered {
            switch byte {
            case 97...122, UInt8(ascii: "_"): startsPart = false
            case 48...57, UInt8(ascii: "$"):
                guard !startsPart else { return nil }
            case UInt8(ascii: "."):
                guard !startsPart else { return nil }
                startsPart = true
            default: return nil
            }
        }
        return startsPart ? nil : String(decoding: lowered, as: UTF8.self)
    }
}
