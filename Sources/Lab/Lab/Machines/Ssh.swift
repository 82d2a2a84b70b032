// The words of ssh: how a machine is reached. ssh's own configuration holds; nothing is ever asked.

import Glibc

struct Ssh: Sendable {
  let settings: MachineSettings
  /// Where the sockets of shared connections are; nil: each call connects by itself.
  let sockets: String?

  static let program = "ssh"
  /// What ssh exits with when it could not do its own part.
  static let failed: Int32 = 255
  /// How long a machine may take to answer, in seconds.
  static let connectTimeout = 10
  /// How long a shared connection stays without use, in seconds.
  private static let persistence = 600
  /// What an address of a unix socket holds, less what ssh appends while it makes one.
  private static let socketLimit = 107 - 18

  /// - Parameter directory: for sockets; one that is too long for addresses is not used.
  init(_ settings: MachineSettings, sockets directory: String? = nil) {
    self.settings = settings
    let fits = directory.map { $0.utf8.count + 9 <= Self.socketLimit } ?? false
    sockets = fits ? directory : nil
  }

  enum Sharing {
    /// Use the shared connection if there is one.
    case used
    /// Leave the shared connection behind, in the background, when the command is done.
    case made
    /// Ask whether the shared connection is there.
    case checked
    /// End the shared connection.
    case ended
  }

  /// The words of a call.
  ///
  /// - Parameters:
  ///   - command: for the login shell of the machine: it must not hold a user's text.
  ///   - terminal: take a terminal of the machine.
  func words(
    to machine: String, _ command: String? = nil, sharing: Sharing = .used, terminal: Bool = false
  ) -> [String] {
    var words = [Self.program]
    if let configuration = settings.configuration { words += ["-F", configuration] }
    let fixed = [
      "BatchMode=yes", "RemoteCommand=none", "ForwardAgent=no", "ForwardX11=no",
      "ClearAllForwardings=yes", "PermitLocalCommand=no",
      "RequestTTY=\(terminal ? "force" : "no")", "LogLevel=\(terminal ? "QUIET" : "ERROR")",
    ]
    let standard = [
      "ConnectTimeout=\(Self.connectTimeout)", "ServerAliveInterval=10", "ServerAliveCountMax=3",
    ]
    for option in fixed + settings.options + standard { words += ["-o", option] }
    if let user = settings.user { words += ["-l", user] }
    if let port = settings.port { words += ["-p", String(port)] }
    if let identity = settings.identity { words += ["-i", identity] }
    words += shared(machine, sharing)
    words += [machine]
    if let command { words.append(command) }
    return words
  }

  private func shared(_ machine: String, _ sharing: Sharing) -> [String] {
    guard let path = socket(machine) else { return ["-o", "ControlMaster=no", "-S", "none"] }
    let escaped = path.replacing("%", with: "%%")
    return switch sharing {
    case .used: ["-o", "ControlMaster=no", "-S", escaped]
    case .made:
      ["-o", "ControlMaster=yes", "-o", "ControlPersist=\(Self.persistence)", "-S", escaped]
    case .checked: ["-O", "check", "-S", escaped]
    case .ended: ["-O", "exit", "-S", escaped]
    }
  }

  /// The socket of a machine's shared connection, by a fingerprint of its name.
  func socket(_ machine: String) -> String? {
    guard let sockets else { return nil }
    return sockets + "/" + Fingerprint.short(machine)
  }

  // MARK: - Starting it

  static func launch(_ words: [String], descriptors: [Int32]) -> Launch {
    Launch(
      program: .search(program, in: HostEntry.searchPath), arguments: words,
      // ssh finds keys and agents by it.
      environment: LocalCommand.environment, descriptors: descriptors)
  }
}
