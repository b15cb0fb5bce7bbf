/// What a client asks for with its StartupMessage, once it has been understood.
package struct ConnectionRequest: Hashable, Sendable {
    package let version: ProtocolVersion
    package let user: WireString
    /// What was named. Whoever knows which branch a socket is for puts that in.
    package var target: ConnectionTarget
    /// What the client has proved to know the password of, once it is authenticated.
    package var proved: SCRAMVerifier?
    /// What goes to the compute beside user, database and ``options``.
    package let parameters: [WireParameter]
    package let options: StartupOptions

    /// What to begin a compute's session with.
    package var startup: StartupMessage {
        var all = [
            WireParameter("user", user), WireParameter("database", target.database),
        ]
        all += parameters
        if !options.settings.isEmpty { all.append(WireParameter("options", options.text)) }
        return StartupMessage(.v3, all)
    }

    package init(_ message: StartupMessage, policy: StartupPolicy) throws(WireError) {
        version = message.version
        guard let user = message["user"], !user.isEmpty else {
            throw WireError(
                .invalidAuthorization,
                "no PostgreSQL user name specified in startup packet"
            )
        }
        self.user = user
        var options = try StartupOptions(parsing: message["options"] ?? "")
        var passed: [WireParameter] = []
        var names: Set<String> = ["user", "database", "options"]
        for parameter in message.parameters {
            guard let setting = try Self.setting(parameter) else { continue }
            guard names.insert(setting.name).inserted else {
                throw .violation("parameter \"\(setting.name)\" stands twice in the startup packet")
            }
            if setting.name.hasPrefix("oxbow.") {
                options.settings.append(setting)
            } else {
                try policy.check(setting.name)
                passed.append(parameter)
            }
        }
        for setting in options.settings where !setting.name.hasPrefix("oxbow.") {
            try policy.check(setting.name)
        }
        parameters = passed
        let own = try OwnSettings(takingFrom: &options)
        self.options = options
        let named = message["database"] ?? user
        target = try own.target(database: named.isEmpty ? user : named)
    }

    /// A parameter as a setting; nil for those that are understood elsewhere.
    private static func setting(
        _ parameter: WireParameter
    ) throws(WireError) -> StartupOptions.Setting? {
        let bytes = parameter.name.bytes
        // By their exact names, as PostgreSQL takes them.
        if ["user", "database", "options"].contains(parameter.name) { return nil }
        // What a server does not know of these it says with NegotiateProtocolVersion.
        if bytes.starts(with: "_pq_.".utf8) { return nil }
        guard let name = SettingName.normal(bytes) else {
            throw WireError(
                .undefinedObject,
                "unrecognized configuration parameter \"\(parameter.name.text.prefix(80))\""
            )
        }
        guard name == "replication" else {
            return StartupOptions.Setting(name: name, value: parameter.value)
        }
        let no: Set<WireString> = ["false", "off", "no", "0"]
        guard no.contains(parameter.value) else {
            throw WireError(
                .featureNotSupported,
                "replication connections are not supported",
                detail: "A branch is copied by forking it, and its past is kept by the store."
            )
        }
        return nil
    }
}

/// The settings that the front takes out of a connection's options for itself.
private struct OwnSettings {
    private var values: [String: String] = [:]

    init(takingFrom options: inout StartupOptions) throws(WireError) {
        for setting in options.settings where setting.name.hasPrefix("oxbow.") {
            guard ["oxbow.branch", "oxbow.at", "oxbow.fork"].contains(setting.name) else {
                throw WireError(
                    .undefinedObject,
                    "unrecognized configuration parameter \"\(setting.name)\""
                )
            }
            guard values.updateValue(setting.value.text, forKey: setting.name) == nil else {
                throw Self.invalid(setting.name, setting.value.text, "It stands twice.")
            }
        }
        options.settings.removeAll { $0.name.hasPrefix("oxbow.") }
    }

    /// A database's name is taken literally where the options name the branch.
    func target(database: WireString) throws(WireError) -> ConnectionTarget {
        var target: ConnectionTarget
        if let branch = values["oxbow.branch"] {
            guard BranchName.isValid(branch) else {
                let hint =
                    branch.contains { "@+".contains($0) }
                    ? " A moment goes into oxbow.at, and a fork is oxbow.fork=on." : ""
                throw Self.invalid("oxbow.branch", branch, "It is no name of a branch.\(hint)")
            }
            target = ConnectionTarget(database: database, branch: branch)
        } else {
            target = try ConnectionTarget(parsing: database)
        }
        if let text = values["oxbow.at"] {
            guard target.moment == nil else {
                throw Self.invalid("oxbow.at", text, "The name of the database has a moment too.")
            }
            guard let moment = RequestedMoment(text) else {
                throw Self.invalid("oxbow.at", text, RequestedMoment.expectation(text))
            }
            target.moment = moment
        }
        if let text = values["oxbow.fork"] {
            guard let isFork = ["on": true, "true": true, "off": false, "false": false][text] else {
                throw Self.invalid("oxbow.fork", text, "It is on or off.")
            }
            target.isFork = target.isFork || isFork
        }
        return target
    }

    private static func invalid(_ name: String, _ value: String, _ why: String) -> WireError {
        WireError(
            .invalidParameterValue,
            "invalid value for parameter \"\(name)\": \"\(value.prefix(80))\"",
            detail: why
        )
    }
}
