// A release of Debian, made by mmdebstrap from the sources of this machine: the smallest set that is
// a system with apt. Packages come in layers on top, so that all images of a release share it.

import Glibc

extension ImageStore {
  /// Bytes of the disk that a release takes while it is made.
  private static let releaseRoom = 400 << 20

  /// What is left out: nobody reads it on hosts that live for an afternoon.
  private static let leftOut = ["man", "doc", "info", "locale"]

  func debianImage(_ suite: String, _ work: StoreWork) throws -> Image {
    guard Lab.isName(suite) else {
      throw LabError("\(suite) can't be a release of Debian; they have names such as bookworm")
    }
    let sources = AptSettings.sources(suite: suite)
    let recipe = LayerRecipe(
      key: try Digest.of(["debian 1", suite, sources ?? ""], deadline: work.deadline),
      origin: "debian:\(suite)", on: nil, needs: Self.releaseRoom,
      announcement: "making debian:\(suite) with mmdebstrap, once; about 20 s")
    return try layer(recipe, work) { site in
      guard ToolRun.find("mmdebstrap") != nil else {
        throw LabError("mmdebstrap is missing; run Scripts/setup, or apt-get install mmdebstrap")
      }
      try bootstrap(suite, sources, at: site, work)
    }
  }

  private func bootstrap(
    _ suite: String, _ sources: String?, at site: LayerSite, _ work: StoreWork
  ) throws {
    var command = [
      "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
      // Kept, so that packages on top need no new ones.
      "--skip=cleanup/apt/lists", "--aptopt=Acquire::GzipIndexes \"true\"",
      "--aptopt=Acquire::Languages \"none\"", "--aptopt=APT::Install-Recommends \"false\"",
      "--dpkgopt=force-unsafe-io",
    ]
    command += Self.leftOut.map { "--dpkgopt=path-exclude=/usr/share/\($0)/*" }
    let settings = site.scratch + "/apt.conf"
    try Files.write(
      AptSettings.ofMachine(deadline: work.deadline)
        .replacing(Builder.shown + "/certificates", with: "/etc/ssl/certs/ca-certificates.crt"),
      to: settings)
    command.append("--aptopt=" + settings)
    command += [suite, site.root]
    if let sources {
      let file = site.scratch + "/debian.sources"
      try Files.write(sources, to: file)
      command.append(file)
    }
    let plan = BuildPlan(
      place: .machine, root: site.root, attempts: [[command]], environment: ToolRun.environment)
    try build(plan, at: site, "mmdebstrap of \(suite)", work)
    try settle(site.root)
  }

  /// What mmdebstrap leaves of this machine is removed, and what apt shall know stays.
  private func settle(_ root: String) throws {
    try Files.write(
      "Acquire::GzipIndexes \"true\";\nAcquire::Languages \"none\";\n",
      to: root + "/etc/apt/apt.conf.d/99mmdebstrap")
    try Files.removeTree(root + "/etc/resolv.conf")
    // Some packages have links to pages of manuals, and want the directories for them.
    for section in 1...8 { try Files.makeDirectories(root + "/usr/share/man/man\(section)") }
    try tidy(root)
  }
}
