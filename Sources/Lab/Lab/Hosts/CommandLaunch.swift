// How a command of somebody's is started in a host, on every backend: whose it is, where, with which
// environment.

import Glibc

extension HostCommand {
  static let searchPath = [
    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
  ]

  /// The command as a process of an account.
  ///
  /// - Parameters:
  ///   - variables: the host's environment beyond what every process has.
  ///   - terminalKind: TERM, or nil for none.
  ///   - root: where the host's file system is seen.
  func launch(
    as account: Account, groups: [gid_t], environment variables: [String], terminalKind: String?,
    below root: String
  ) -> Launch {
    let words = arguments.isEmpty ? [account.shell] : arguments
    let directory = Files.isDirectory(root + account.home) ? account.home : "/"
    // OAR 2 believes PWD alone, as a login shell would have set it.
    var environment = [
      "HOME=\(account.home)", "USER=\(account.name)", "LOGNAME=\(account.name)",
      "SHELL=\(account.shell)", "LANG=C.UTF-8", "PWD=\(directory)",
      "PATH=" + Self.searchPath.joined(separator: ":"),
    ]
    environment += variables
    if let terminalKind { environment.append("TERM=" + terminalKind) }
    var launch = Launch(
      program: .path(words[0], in: Self.searchPath), arguments: words, environment: environment,
      directory: directory,
      identity: .init(user: account.uid, group: account.gid, groups: groups), confined: true)
    if arguments.isEmpty && login {
      // A dash in front of its name tells a shell that it is a login's.
      launch.arguments = ["-" + (account.shell.split(separator: "/").last ?? "sh")]
    }
    return launch
  }
}
