// Which packages are installed, as dpkg's own file says: no program is run for it.

import Wire

enum DebianPackages {
  /// The file of a host with very many packages has some 10 MiB.
  private static let limit = 64 << 20

  /// Versions of the packages of OAR and ours; empty where there is no dpkg.
  static func installed() -> [String: String] {
    guard let bytes = try? readFile("/var/lib/dpkg/status", limit: limit) else { return [:] }
    return versions(in: bytes[...])
  }

  /// Reads paragraphs of lines `Field: value`.
  static func versions(in status: ArraySlice<UInt8>) -> [String: String] {
    var versions: [String: String] = [:]
    var (name, isInstalled): (String?, Bool) = (nil, false)
    for line in status.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if line.isEmpty {
        name = nil
        isInstalled = false
      } else if let value = field("Package", line) {
        name = value.hasPrefix("oar-") || value.hasPrefix("liburna") ? value : nil
      } else if let value = field("Status", line) {
        isInstalled = value.hasSuffix(" installed")
      } else if let known = name, isInstalled, let value = field("Version", line) {
        versions[known] = value
      }
    }
    return versions
  }

  private static func field(_ name: String, _ line: ArraySlice<UInt8>) -> String? {
    guard line.starts(with: "\(name): ".utf8) else { return nil }
    return String(decoding: line.dropFirst(name.utf8.count + 2), as: UTF8.self)
  }
}
