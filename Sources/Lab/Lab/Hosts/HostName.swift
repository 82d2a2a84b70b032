// The name that a host's kernel knows it by.

import Glibc

enum HostName {
  /// Names the host whose process this is.
  static func set(_ name: String) throws {
    guard sethostname(name, name.utf8.count) == 0 else {
      throw LabError.system("set the name", name)
    }
  }
}
