// Installing software on an image: its own build runs in a throw-away root file system, and what it
// changes there becomes a layer. A tree of Liburna is not installed but shared, as its programs are.

import Compositions
import Glibc

/// What was installed.
public struct InstalledSoftware: Equatable, Codable, Sendable {
  /// Nil for Debian packages that are none of what the lab knows.
  public var kind: Software?
  /// Where it came from, for people.
  public var origin: String
  public var version: String
  /// What hosts begin as then: the image with the software on top; nil if it is shared.
  public var image: Image?
  /// The directory of its programs, shared with the hosts as they are; nil for a layer.
  public var programs: String?
}

extension ImageStore {
  /// How long an installation may take unless the caller says otherwise, in seconds.
  public static let installPatience = 1800
  /// Bytes of the disk without which nothing is installed.
  private static let installRoom = 300 << 20

  /// Installs software on an image, in a layer of its own.
  ///
  /// - Parameters:
  ///   - kind: which software it is; nil to find out from its tree.
  ///   - image: what hosts begin as; the machine's own root takes shared programs alone.
  public func install(
    _ source: SoftwareSource, kind: Software? = nil, onto image: Image,
    timeout: Int = ImageStore.installPatience, progress: @escaping (String) -> Void = { _ in }
  ) throws -> InstalledSoftware {
    let work = StoreWork(deadline: Deadline(seconds: timeout), progress: progress)
    if case .tree(let path) = source, (kind ?? SourceTree.kind(of: path)) == .liburna {
      let programs = try LiburnaTree(path).programs(work)
      return InstalledSoftware(
        kind: .liburna, origin: path, version: "live", image: nil, programs: programs)
    }
    guard !image.directories.isEmpty else {
      throw LabError(
        "\(source.description) can't be installed on this machine's own root, which stays as it is; "
          + "take a composition with another root, such as `-c oar2`, or your own: `liburna lab init` "
          + "writes lab.yaml, in which you say `root: debian:bookworm`")
    }
    switch source {
    case .packages(let names):
      let made = try withPackages(Set(names).sorted(), on: image, work)
      return InstalledSoftware(
        kind: kind, origin: source.description, version: "", image: made, programs: nil)
    case .debs(let files): return try installFiles(files, kind, onto: image, source, work)
    case .tree, .tarball, .url, .git: return try installTree(source, kind, onto: image, work)
    }
  }

  // MARK: - Debian packages in files

  private func installFiles(
    _ files: [String], _ kind: Software?, onto image: Image, _ source: SoftwareSource,
    _ work: StoreWork
  ) throws -> InstalledSoftware {
    for file in files where !Files.isFile(file) {
      throw LabError("\(file) can't be installed: there is no such file")
    }
    let digests = try files.map { try fileDigest($0, work) }
    let recipe = LayerRecipe(
      key: try Digest.of(["debs 1", image.key] + digests.sorted(), deadline: work.deadline),
      origin: "\(image.origin) with \(source.description)", on: layerBase(image),
      needs: Self.installRoom, announcement: "installing \(source.description)")
    let made = try layer(recipe, work) { site in
      try installPackages(
        files.indices.map { "\(Builder.shown)/\($0).deb" }, on: image, at: site, work
      ) {
        $0.binds += files.enumerated().map { .init(source: $1, name: "\($0).deb") }
      }
    }
    return InstalledSoftware(
      kind: kind, origin: source.description, version: "", image: made, programs: nil)
  }

  // MARK: - Source trees

  /// The tree is fetched first, since only its content tells whether there is a layer of it already.
  func installTree(
    _ source: SoftwareSource, _ told: Software?, onto image: Image, _ work: StoreWork,
    recipe: (Software, SourceTree) throws -> TreeRecipe = TreeRecipe.of
  ) throws -> InstalledSoftware {
    let name = try Digest.of(["fetch", source.description, "\(getpid())"], deadline: work.deadline)
    return try make(
      source.description, place: name, needs: Self.installRoom,
      announcement: "reading \(source.description)", work, found: { nil }
    ) { site in
      let tree = try SourceTree.fetch(
        source, into: site.scratch + "/source", store: self, site: site, work)
      guard let kind = told ?? tree.kind else {
        throw LabError(
          "this is the tree of neither Liburna nor OAR 2 nor OAR 3 as far as its files tell; say "
            + "which software it is, if it is one of them")
      }
      let recipe = try recipe(kind, tree)
      let base = try withPackages(recipe.packages, on: image, work)
      let made = try layer(
        LayerRecipe(
          key: try Digest.of(
            ["tree 1", base.key, kind.rawValue, try content(of: tree, work)],
            deadline: work.deadline),
          origin:
            "\(image.origin) with \(kind.rawValue) \(tree.version) from \(source.description)",
          on: layerBase(base), needs: Self.installRoom,
          announcement: "building \(kind.rawValue) \(tree.version)"), work
      ) { layerSite in
        var plan = BuildPlan(place: .root, root: layerSite.root, attempts: [recipe.commands])
        plan.binds = [.init(source: tree.directory, name: "source", readOnly: false)] + recipe.binds
        plan.environment = ToolRun.environment + recipe.environment
        try change(base, by: plan, at: layerSite, "installing \(kind.rawValue)", work)
        try tidy(layerSite.root)
      }
      return InstalledSoftware(
        kind: kind, origin: source.description, version: tree.version, image: made, programs: nil)
    }
  }

  /// A digest of all files of a tree with their names and modes.
  private func content(of tree: SourceTree, _ work: StoreWork) throws -> String {
    let archive = tree.directory + ".content"
    defer { unlink(archive) }
    let answer = try ToolRun.run(
      [
        "tar", "--create", "--file=" + archive, "--directory=" + tree.directory, "--sort=name",
        "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--exclude=./.git", ".",
      ], deadline: work.deadline)
    guard answer.code == 0 else { throw LabError("tar: \(answer.complaint)") }
    return try Digest.ofFile(archive, deadline: work.deadline)
  }
}

/// How a source tree, which is shown below ``Builder/shown``, is built and installed.
struct TreeRecipe {
  /// Debian packages that its building needs.
  var packages: [String]
  var commands: [[String]]
  var environment: [String] = []
  var binds: [BuildPlan.Bind] = []

  private static let source = Builder.shown + "/source"

  static func of(_ kind: Software, _ tree: SourceTree) throws -> TreeRecipe {
    switch kind {
    case .oar2: return oar2(tree)
    case .oar3: return oar3()
    case .liburna:
      throw LabError(
        "a tree of Liburna is shared with the hosts, so it must be a directory of this machine; "
          + "clone or unpack it and install that directory")
    }
  }

  /// OAR 2 by the targets of its Makefile, in the places where Debian's packages of it are.
  static func oar2(_ tree: SourceTree) -> TreeRecipe {
    var packages = [
      "make", "gcc", "libc6-dev", "perl", "procps", "python3-docutils", "passwd", "openssh-client",
      "libdbi-perl", "libdbd-pg-perl", "libsort-versions-perl", "libcapture-tiny-perl",
    ]
    // Newer ones have a program for the kernel itself.
    if let common = try? Files.readText(tree.directory + "/Makefiles/common.mk"),
      common.contains("-target bpf")
    {
      packages += ["clang", "libbpf-dev", "libelf-dev", "zlib1g-dev"]
    }
    let make = [
      "make", "-C", source, "PREFIX=/usr", "PERLLIBDIR=/usr/share/perl5", "TARGET_DIST=debian",
      "SETUP_TYPE=tgz", "SYSTEMD_INIT=true",
    ]
    let account = [
      "--system", "--user-group", "--home-dir", "/var/lib/oar", "--create-home", "--shell",
      "/bin/bash", "oar",
    ]
    return TreeRecipe(
      packages: packages,
      commands: [
        // It fails where the account is there already.
        ["sh", "-c", "id oar >/dev/null 2>&1 || exec useradd \"$@\"", "sh"] + account,
        make + ["server-install", "node-install", "user-install"],
        make + ["server-setup", "node-setup", "user-setup"],
        // What the targets for setting up leave out goes unnoticed by make.
        ["test", "-x", "/usr/lib/oar/Almighty"],
      ])
  }

  /// OAR 3 by pip, which fetches what it needs as this machine does.
  static func oar3() -> TreeRecipe {
    var recipe = TreeRecipe(
      packages: ["python3-pip", "python3-dev", "gcc", "libc6-dev", "libpq-dev"],
      commands: [["pip", "install", "--no-input", "--break-system-packages", source]],
      environment: ["PIP_DISABLE_PIP_VERSION_CHECK=1"])
    if Files.exists("/etc/pip.conf") {
      recipe.binds.append(.init(source: "/etc/pip.conf", name: "pip.conf"))
      recipe.environment.append("PIP_CONFIG_FILE=\(Builder.shown)/pip.conf")
    }
    let certificates = "/etc/ssl/certs/ca-certificates.crt"
    if Files.exists(certificates) {
      recipe.binds.append(.init(source: certificates, name: "authorities"))
      recipe.environment.append("PIP_CERT=\(Builder.shown)/authorities")
    }
    return recipe
  }
}
