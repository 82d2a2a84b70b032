// Reading `oar.conf` from disk.

import ClusterModel
import Glibc

extension Configuration {
  /// Reads the file that OARCONFFILE names, else `/etc/oar/oar.conf`; a missing file means all defaults.
  ///
  /// - Throws: ``ConnectionError`` when the file is there and can't be read.
  public static func ofThisHost() throws(ConnectionError) -> Configuration {
    let named = getenv("OARCONFFILE").map { String(cString: $0) }
    let path = named ?? Configuration.standardPath
    do {
      let text = try readFile(path, limit: 1 << 20)
      return Configuration(parsing: String(decoding: text, as: UTF8.self))
    } catch {
      switch error {
      case .system(ENOENT) where named == nil: return Configuration()
      case .system(let code):
        throw ConnectionError("cannot read \(path): \(String(cString: strerror(code)))")
      case .tooLong: throw ConnectionError("\(path) is longer than 1 MiB: that is no oar.conf")
      }
    }
  }
}
