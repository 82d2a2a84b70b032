// Debian packages on top of an image, and on the machine itself: there they are only looked for.

import Glibc

enum Packages {
  /// The most packages of one image.
  static let limit = 1000

  /// Refuses what can't be the name of a Debian package: it goes into command lines.
  static func check(_ names: [String]) throws {
    guard names.count <= limit else {
      throw LabError("\(names.count) packages are too many; at most \(limit)")
    }
    for word in names {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = parts[0]
      let allowed = name.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || "+-.".utf8.contains(byte)
      }
      guard allowed, (2...128).contains(word.utf8.count), let first = name.first,
        first.isLetter || first.isNumber, parts.count == 1 || isVersion(parts[1])
      else {
        throw LabError(
          "\(word) can't be the name of a Debian package; these are small letters, digits, +, - and ., "
            + "and a version may follow: munge=0.5.15-2"
        )
      }
    }
  }

  private static func isVersion(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { MachineList.isLetterOrDigit($0) || "+-.:~".utf8.contains($0) }
  }

  /// Makes sure that the machine itself has these packages.
  static func requireOnMachine(_ names: [String], deadline: Deadline) throws {
    guard !names.isEmpty else { return }
    guard ToolRun.find("dpkg-query") != nil else {
      throw LabError(
        "hosts that begin as this machine need \(names.joined(separator: ", ")), and this machine "
          + "has no dpkg to ask for them; take another root, such as debian:bookworm")
    }
    // Packages that provide a name are good for it as well.
    let answer = try ToolRun.run(
      [
        "dpkg-query", "-W", "-f",
        "${db:Status-Status} ${Package} ${Package}=${Version} ${Provides}\n",
      ],
      deadline: deadline)
    var present: Set<Substring> = []
    for line in answer.output.split(separator: "\n") where line.hasPrefix("installed ") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == "," })
      present.formUnion(words.dropFirst().filter { !$0.hasPrefix("(") })
    }
    let missing = names.filter { !present.contains(Substring($0)) }
    guard missing.isEmpty else {
      throw LabError(
        "hosts that begin as this machine need packages that it does not have: "
          + "\(missing.joined(separator: ", ")); install them with `apt-get install "
          + "--no-install-recommends \(missing.joined(separator: " "))`, or take another root, such "
          + "as debian:bookworm")
    }
  }
}

extension ImageStore {
  /// Bytes of the disk without which no packages are installed.
  private static let packageRoom = 300 << 20

  /// The image with packages on top, in a layer of their own.
  func withPackages(_ packages: [String], on image: Image, _ work: StoreWork) throws -> Image {
    guard !packages.isEmpty else { return image }
    let apt = ["/usr/bin/apt-get", "/bin/apt-get"]
    guard image.directories.contains(where: { root in apt.contains { Files.exists(root + $0) } })
    else {
      throw LabError(
        "\(image.origin) has no apt-get, so \(packages.joined(separator: ", ")) can't be installed "
          + "there; put them into the image, or take a Debian one")
    }
    let shown = packages.prefix(6).joined(separator: ", ") + (packages.count > 6 ? ", …" : "")
    let recipe = LayerRecipe(
      key: try Digest.of(["packages 1", image.key] + packages, deadline: work.deadline),
      origin: "\(image.origin) with \(shown)", on: layerBase(image), needs: Self.packageRoom,
      announcement: "installing \(packages.count) packages on \(image.origin), once")
    return try layer(recipe, work) { site in
      try installPackages(packages, on: image, at: site, work)
    }
  }

  /// - Parameters:
  ///   - packages: names, or absolute paths of files as the image sees them.
  ///   - further: what the plan has beside.
  func installPackages(
    _ packages: [String], on image: Image, at site: LayerSite, _ work: StoreWork,
    further: (inout BuildPlan) -> Void = { _ in }
  ) throws {
    // Neither caches nor what apt only recommends; the answers to questions are the maintainers'.
    let install =
      ["apt-get", "install", "--yes", "-q", "--no-install-recommends"]
      + [
        "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
        "-o", "Dpkg::Options::=--force-unsafe-io", "-o", "Dpkg::Options::=--force-confdef",
        "-o", "Dpkg::Options::=--force-confold", "--",
      ] + packages
    let clean = ["apt-get", "clean"]
    var plan = BuildPlan(place: .root, root: site.root, attempts: [])
    plan.attempts = [
      [install, clean],
      // The lists may be missing, or older than what the archive still has.
      [["apt-get", "update", "-q"], install, clean],
    ]
    plan.environment = ToolRun.environment + ["DEBIAN_FRONTEND=noninteractive"]
    plan.aptSettings = AptSettings.ofMachine(deadline: work.deadline)
    plan.binds = AptSettings.binds
    further(&plan)
    try change(
      image, by: plan, at: site, "apt-get install \(packages.joined(separator: " "))", work)
    try tidy(site.root)
  }

  /// Removes what every host must make or get by itself.
  func tidy(_ root: String) throws {
    for name in Files.list(root + "/etc/ssh")
    where name.hasPrefix("ssh_host_") && name.contains("_key") {
      try Files.removeTree(root + "/etc/ssh/" + name)
    }
    for path in ["/etc/munge/munge.key", "/etc/hostname", "/var/log/apt", "/var/log/dpkg.log"] {
      try Files.removeTree(root + path)
    }
  }
}
