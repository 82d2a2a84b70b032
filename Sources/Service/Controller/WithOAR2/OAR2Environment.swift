// The variables that programs of OAR 2's and of its site's get: those that they need, and none of ours besides.

import ClusterModel
import Glibc

/// Environments of children.
enum OAR2Environment {
  /// Variables of ours that children may get; all others stay here.
  static let names = [
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "OARCONFFILE", "OARDIR", "OARUSER", "OARDO_UID",
    "OARDO_USER", "PERL5LIB",
  ]
  /// What OAR 2's programs do not work without, where somebody calls us by hand.
  private static let fallbacks = [
    "PATH": "/usr/local/bin:/usr/bin:/bin", "OARCONFFILE": Configuration.standardPath,
    "OARDIR": OAR2Settings.standardDirectory, "OARUSER": "oar",
  ]

  /// For a child of a process that OAR 2 started: its variables are ours.
  static var inherited: [String: String] { fallbacks.merging(own) { $1 } }

  /// For a child of the server: OAR 2's programs find their configuration and libraries by these.
  static func ofServer(_ settings: OAR2Settings) -> [String: String] {
    var account = "oar"
    var home = "/var/lib/oar"
    if let entry = getpwuid(geteuid()) {
      account = String(cString: entry.pointee.pw_name)
      home = String(cString: entry.pointee.pw_dir)
    }
    let known = [
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home,
      "OARDIR": settings.directory, "OARCONFFILE": settings.configurationPath,
      "OARUSER": account, "OARDO_USER": account, "OARDO_UID": String(geteuid()),
      "LC_ALL": "C.UTF-8",
    ]
    return known.merging(own) { known, _ in known }
  }

  private static var own: [String: String] {
    var variables: [String: String] = [:]
    for name in names { variables[name] = getenv(name).map { String(cString: $0) } }
    return variables
  }
}
