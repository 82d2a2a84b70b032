// Which names, paths and words a composition may hold, and how that is told.

/// What a text must be.
struct NameRule: Sendable {
  /// As in "… is no WHAT".
  var what: String
  /// As in "… is no WHAT: ALLOWED".
  var allowed: String
  var accepts: @Sendable (String) -> Bool

  /// A name of letters and digits and some more signs.
  private init(
    _ what: String, begins: String, goesOn: String, longest: Int, _ allowed: String
  ) {
    self.what = what
    self.allowed = allowed
    let (first, rest) = (Set(begins), Set(begins + goesOn))
    accepts = { text in
      text.count <= longest && text.first.map(first.contains) == true
        && text.allSatisfy(rest.contains)
    }
  }

  private init(
    _ what: String, _ allowed: String, accepts: @escaping @Sendable (String) -> Bool
  ) {
    (self.what, self.allowed, self.accepts) = (what, allowed, accepts)
  }

  private static let small = "abcdefghijklmnopqrstuvwxyz"
  private static let large = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  private static let digits = "0123456789"
  private static let packageLetters = Set(small + digits + "+-.")
  private static let versionLetters = Set(small + large + digits + "+-.:~")

  static let composition = NameRule(
    "name of a composition", begins: small, goesOn: digits + "-", longest: 32,
    "1 to 32 small letters, digits and dashes, a letter first")
  static let role = NameRule(
    "name of a role", begins: small, goesOn: digits + "-", longest: 32,
    "1 to 32 small letters, digits and dashes, a letter first (its hosts are named after it)")
  static let setup = NameRule(
    "name of a set-up", begins: small + large + digits, goesOn: "-_.", longest: 32,
    "1 to 32 letters, digits, dashes, dots and underscores")
  /// An account that the lab makes.
  static let account = NameRule(
    "name of an account", begins: small + "_", goesOn: digits + "-", longest: 32,
    "1 to 32 small letters, digits, dashes and underscores, a letter first")
  /// An account that a package may have made.
  static let anyAccount = NameRule(
    "name of an account", begins: small + large + "_", goesOn: digits + "-.", longest: 32,
    "1 to 32 letters, digits, dashes, dots and underscores, a letter first")
  static let service = NameRule(
    "name of a service", begins: small + large + digits, goesOn: "-_.", longest: 64,
    "1 to 64 letters, digits, dashes, dots and underscores")
  static let variable = NameRule(
    "name of a variable", begins: small + large + "_", goesOn: digits, longest: 128,
    "1 to 128 letters, digits and underscores, no digit first")
  static let suite = NameRule(
    "release of Debian", begins: small, goesOn: digits + "-", longest: 32,
    "its name, such as debian:bookworm")
  static let image = NameRule(
    "image", begins: small + large + digits, goesOn: "./:@_-", longest: 256,
    "as podman or docker name it, such as image:debian:bookworm")

  static let package = NameRule(
    "package", "a name as Debian has it, such as munge, or with a version: munge=0.5.15-2"
  ) { text in
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return parts[0].count >= 2 && text.count <= 128
      && !"+-.".contains(parts[0].first ?? ".")
      && parts[0].allSatisfy(packageLetters.contains)
      && (parts.count == 1 || (!parts[1].isEmpty && parts[1].allSatisfy(versionLetters.contains)))
  }

  /// A place in the hosts.
  static let path = NameRule(
    "path", "it begins with /, and holds no //, no . or .. as a name and no / at its end"
  ) { text in
    text.utf8.count <= 1024 && text.first == "/" && text != "/" && !text.contains("\n")
      && text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        .allSatisfy { !["", ".", ".."].contains($0) }
  }

  /// A path of a unix socket, which the kernel takes up to 107 bytes of.
  static let socket = NameRule("path of a socket", "\(path.allowed); at most 107 bytes") { text in
    text.utf8.count <= 107 && path.accepts(text)
  }

  static let title = NameRule("title", "1 to 80 letters on one line") { text in
    (1...80).contains(text.count) && text.unicodeScalars.allSatisfy { $0.value >= 0x20 }
      && text.contains { $0 != " " }
  }

  static let about = NameRule("description", "one line of up to 200 letters") { text in
    text.count <= 200 && text.unicodeScalars.allSatisfy { $0.value >= 0x20 }
  }
}
