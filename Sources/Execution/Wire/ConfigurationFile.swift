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
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT, named == nil { return Configuration() }
      throw ConnectionError("cannot read \(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while case let count = read(descriptor, &chunk, chunk.count), count > 0 {
      text += chunk[..<count]
      guard text.count <= 1 << 20 else {
        throw ConnectionError("\(path) is longer than 1 MiB: that is no oar.conf")
      }
    }
    return Configuration(parsing: String(decoding: text, as: UTF8.self))
  }
}
