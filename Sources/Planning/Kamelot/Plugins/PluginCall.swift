// The job types that ask for a plug-in: `find=NAME:ARGUMENT:KEY=VALUE` and `assign=…`.

/// What a job says of the plug-in that it wants.
public struct PluginCall: Hashable, Sendable {
  /// What the plug-in is to do for the job.
  public enum Role: String, Hashable, Sendable {
    /// Choose resources among those that are free.
    case find
    /// Choose both the start and the resources.
    case assign
  }

  public var role: Role
  /// Which plug-in; not empty.
  public var name: String
  public var arguments: PluginArguments

  public init(role: Role, name: String, arguments: PluginArguments = PluginArguments()) {
    self.role = role
    self.name = name
    self.arguments = arguments
  }

  /// Reads what follows `find=` or `assign=`; `nil` without a name.
  ///
  /// Colons separate, and nothing can quote one. A part with a `=` behind at least one character is an
  /// argument with a name, and its value goes on to the end of the part; any other part is a plain
  /// argument. Of two arguments with the same name the last one counts.
  public init?(role: Role, parsing text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard let name = parts.first, !name.isEmpty else { return nil }
    var arguments = PluginArguments()
    for part in parts.dropFirst() {
      if let sign = part.firstIndex(of: "="), sign > part.startIndex {
        arguments.named[String(part[..<sign])] = String(part[part.index(after: sign)...])
      } else {
        arguments.plain.append(String(part))
      }
    }
    self.init(role: role, name: String(name), arguments: arguments)
  }
}

/// The arguments that a job gives to its plug-in, as the user wrote them.
public struct PluginArguments: Hashable, Sendable {
  /// Those without a name, in their order.
  public var plain: [String]
  public var named: [String: String]

  public init(plain: [String] = [], named: [String: String] = [:]) {
    self.plain = plain
    self.named = named
  }
}
