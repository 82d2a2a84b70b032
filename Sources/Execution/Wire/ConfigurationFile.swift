// Reading `oar.conf` from disk.

import ClusterModel
import Glibc

extension Configuration {
  /// What commands read where `oar.conf` is not theirs to read, as it may hold the password of a database.
  public static let clientPath = "/etc/oar/client.conf"
  /// The configuration of bebidad.
  public static let bebidaPath = "/etc/bebida/bebida.conf"
  /// Where bebidad is asked unless its configuration says otherwise.
  public static let bebidaSocketPath = "/run/bebida/bebidad.sock"
  /// More is no file that somebody wrote.
  private static let sizeLimit = 1 << 20

  /// Reads the file that OARCONFFILE names, else `/etc/oar/oar.conf`; a missing file means all defaults.
  ///
  /// - Throws: ``ConnectionError`` when the file is there and can't be read.
  public static func ofThisHost() throws(ConnectionError) -> Configuration {
    if let path = namedPath { return try contents(of: path) }
    return try contents(of: standardPath, unless: [ENOENT]) ?? Configuration()
  }

  /// The same for commands: an `oar.conf` that the user may not read, as OAR 2 has it, counts as one that is
  /// not there; then `/etc/oar/client.conf` counts.
  ///
  /// - Throws: ``ConnectionError`` when a file is there and can't be read.
  public static func ofCommands() throws(ConnectionError) -> Configuration {
    if let path = namedPath { return try contents(of: path) }
    if let read = try contents(of: standardPath, unless: [ENOENT, EACCES]) { return read }
    return try contents(of: clientPath, unless: [ENOENT]) ?? Configuration()
  }

  /// What bebidad reads, where one lends the nodes of another batch system: `nil` where there is none.
  public static func ofBebida() -> Configuration? {
    let path = getenv("BEBIDACONFFILE").map { String(cString: $0) } ?? bebidaPath
    guard var configuration = try? contents(of: path) else { return nil }
    configuration["LIBURNA_SOCKET"] = configuration.text(
      "LIBURNA_SOCKET", default: bebidaSocketPath)
    return configuration
  }

  private static var namedPath: String? { getenv("OARCONFFILE").map { String(cString: $0) } }

  /// What a file says.
  ///
  /// - Throws: ``ConnectionError`` when it can't be read.
  public static func contents(of path: String) throws(ConnectionError) -> Configuration {
    try contents(of: path, unless: []) ?? Configuration()
  }

  /// What a file says; `nil` if it can't be opened for one of these reasons (`errno`).
  private static func contents(
    of path: String, unless reasons: [Int32]
  ) throws(ConnectionError) -> Configuration? {
    do {
      let text = try readFile(path, limit: sizeLimit)
      return Configuration(parsing: String(decoding: text, as: UTF8.self))
    } catch {
      switch error {
      case .system(let code) where reasons.contains(code): return nil
      case .system(let code):
        throw ConnectionError("cannot read \(path): \(String(cString: strerror(code)))")
      case .tooLong: throw ConnectionError("\(path) is longer than 1 MiB: that is no oar.conf")
      }
    }
  }
}
