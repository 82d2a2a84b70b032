// The keys of one lab, made anew for each: nothing secret is shared between labs or outlives one.

import Glibc

struct Keys {
  /// A private key as OpenSSH writes it, and its public line.
  struct Pair {
    var secret: String
    var open: String
  }

  /// What every host shows to those who log in.
  var host: Pair
  /// What root and the service account of the controlling role log in to root with.
  var control: Pair
  /// What ordinary users log in with.
  var user: Pair
  /// What MUNGE seals credentials with.
  var munge: String

  static let keygen = "/usr/bin/ssh-keygen"
  /// MUNGE takes 32 to 1024 bytes.
  private static let mungeBytes = 64

  /// Makes all keys as files of a directory.
  static func make(in directory: String) throws {
    try Files.makeDirectories(directory, mode: 0o700)
    let quiet = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(quiet) }
    let started = try names.map { name in
      try Launch(
        program: .path(keygen),
        arguments: [
          keygen, "-q", "-t", "ed25519", "-N", "", "-C", "lab-\(name)", "-f",
          directory + "/" + name,
        ], descriptors: [quiet, quiet, quiet], bound: true
      ).start()
    }
    // Wait for all before judging any: nobody else would.
    let codes = started.map { $0.wait() }
    guard codes.allSatisfy({ $0 == 0 }) else {
      throw LabError("\(keygen) could not make the keys in \(directory)")
    }
    try Files.write(randomText(mungeBytes), to: directory + "/munge", mode: 0o600)
  }

  private static let names = ["host", "control", "user"]

  private static func randomText(_ count: Int) -> String {
    var random = SystemRandomNumberGenerator()
    return Hexadecimal.text((0..<count).map { _ in .random(in: .min ... .max, using: &random) })
  }
}

extension Keys {
  /// Reads the keys that were made in a directory.
  init(reading directory: String) throws {
    let pairs = try Keys.names.map { name in
      Pair(
        secret: try Files.readText(directory + "/" + name),
        open: try Files.readText(directory + "/" + name + ".pub"))
    }
    self.init(
      host: pairs[0], control: pairs[1], user: pairs[2],
      munge: try Files.readText(directory + "/munge"))
  }
}
