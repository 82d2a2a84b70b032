// Images from tar files: of a root file system, of an OCI layout, or as `docker save` writes them.
// Layers are flattened into one directory. tar runs where nothing else can be written to, since a
// foreign archive may try to.

import Glibc

extension ImageStore {
  func archiveImage(_ path: String, _ work: StoreWork) throws -> Image {
    guard path.hasPrefix("/") else {
      throw LabError("\(path) can't be unpacked: its path must be absolute")
    }
    guard let real = Files.resolve(path) else {
      throw LabError("\(path) can't be unpacked: there is no such file")
    }
    if Files.isFile(real + "/oci-layout") { return try layoutImage(real, work) }
    guard Files.isFile(real) else {
      throw LabError("\(path) can't be unpacked: it is neither a tar file nor an OCI layout")
    }
    let recipe = LayerRecipe(
      key: try Digest.of(["archive 1", try fileDigest(real, work)], deadline: work.deadline),
      origin: path, on: nil, needs: Disk.size(of: real), announcement: "unpacking \(path), once")
    return try layer(recipe, work) { site in try unpack(real, at: site, work) }
  }

  /// A directory with an OCI layout.
  private func layoutImage(_ path: String, _ work: StoreWork) throws -> Image {
    let layout = ArchiveLayout(directory: path, deadline: work.deadline)
    let layers = try layout.ociLayers()
    let recipe = LayerRecipe(
      // Blobs are named by what is in them.
      key: try Digest.of(["layout 1"] + layers.map(\.name), deadline: work.deadline), origin: path,
      on: nil, needs: layers.reduce(0) { $0 + Disk.size(of: $1.path) },
      announcement: "unpacking \(path), once")
    return try layer(recipe, work) { site in
      try flatten(layers, of: layout, at: site, work)
      try Self.checkRoot(site.root, named: path)
    }
  }

  /// Unpacks an archive of any kind into the site's root.
  func unpack(_ archive: String, at site: LayerSite, _ work: StoreWork) throws {
    let names = try TarList.names(in: archive, deadline: work.deadline)
    let top = Set(names.map { TarList.clean($0) })
    let isImage =
      !top.contains("etc")
      && (top.contains("manifest.json")
        || (top.contains("index.json") && top.contains("oci-layout")))
    guard isImage else {
      try extract(archive, into: site.root, at: site, excluding: [], work)
      return try Self.checkRoot(site.root, named: archive)
    }
    let outer = site.scratch + "/outer"
    try Files.makeDirectories(outer, mode: 0o700)
    try extract(archive, into: outer, at: site, excluding: [], work)
    let layout = ArchiveLayout(directory: outer, deadline: work.deadline)
    let layers = try top.contains("manifest.json") ? layout.savedLayers() : layout.ociLayers()
    try flatten(layers, of: layout, at: site, work)
    try Self.checkRoot(site.root, named: archive)
  }

  private func flatten(
    _ layers: [ArchiveLayout.Layer], of layout: ArchiveLayout, at site: LayerSite, _ work: StoreWork
  ) throws {
    for (index, layer) in layers.enumerated() {
      work.progress("layer \(index + 1) of \(layers.count)")
      try layout.verify(layer)
      let names = try TarList.names(in: layer.path, deadline: work.deadline)
      try FlatTree(root: site.root).makeRoom(for: names)
      try extract(layer.path, into: site.root, at: site, excluding: [FlatTree.mark + "*"], work)
    }
  }

  /// Unpacks one tar file, of whatever compression tar knows by itself.
  func extract(
    _ archive: String, into target: String, at site: LayerSite, excluding patterns: [String],
    _ work: StoreWork
  ) throws {
    let shown = Builder.shown
    let workshop = site.scratch + "/workshop"
    try Files.makeDirectories(workshop, mode: 0o700)
    var command = [
      "tar", "--extract", "--file=\(shown)/archive", "--directory=\(shown)/target",
      "--numeric-owner", "--same-owner", "--preserve-permissions", "--xattrs",
      // Attributes of overlays would be instructions to ours.
      "--xattrs-include=*", "--xattrs-exclude=trusted.*", "--delay-directory-restore",
    ]
    command += patterns.map { "--exclude=\($0)" }
    var plan = BuildPlan(
      place: .workshop, root: workshop, attempts: [[command]], environment: ToolRun.environment)
    plan.binds = [
      .init(source: archive, name: "archive"),
      .init(source: target, name: "target", readOnly: false),
    ]
    try build(plan, at: site, "unpacking \(archive)", work)
  }

  /// The digest of a large file, remembered for as long as the file looks the same.
  func fileDigest(_ path: String, _ work: StoreWork) throws -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { throw LabError.system("examine", path) }
    let time = status.st_mtim
    let note =
      directory + "/digests/\(status.st_dev)-\(status.st_ino)-\(status.st_size)-"
      + "\(time.tv_sec).\(time.tv_nsec)"
    if let known = Files.value(note), known.utf8.count == 64 { return known }
    let digest = try Digest.ofFile(path, deadline: work.deadline)
    try Files.makeDirectories(directory + "/digests", mode: 0o700)
    try Files.replace(note, with: Array(digest.utf8), mode: 0o600)
    return digest
  }
}

/// The names in a tar file.
enum TarList {
  static func names(in archive: String, deadline: Deadline) throws -> [Substring] {
    let answer = try ToolRun.run(
      ["tar", "--list", "--quoting-style=literal", "--file=" + archive], deadline: deadline)
    guard answer.code == 0 else {
      throw LabError("\(archive) is no whole tar file: \(answer.complaint)")
    }
    guard answer.output.utf8.count < ToolRun.limit else {
      throw LabError(
        "\(archive) holds too many files; the list of their names is \(ToolRun.limit) "
          + "bytes or longer")
    }
    return answer.output.split(separator: "\n")
  }

  /// A name without `./` in front and `/` behind.
  static func clean(_ name: Substring) -> Substring {
    var name = name
    while name.hasPrefix("./") { name = name.dropFirst(2) }
    while name.hasPrefix("/") { name = name.dropFirst() }
    while name.hasSuffix("/") { name = name.dropLast() }
    return name
  }
}

/// A tree that layers are unpacked into one after the other.
struct FlatTree {
  let root: String

  /// A file of this name says that the one without the mark is gone.
  static let mark = ".wh."
  /// A file of this name says that its directory has nothing from the layers below.
  private static let opaque = ".wh..wh..opq"

  /// Removes what a layer of these names hides or replaces.
  func makeRoom(for names: [Substring]) throws {
    for name in names {
      let path = TarList.clean(name).split(separator: "/").filter { $0 != "." }
      guard let last = path.last, !path.contains("..") else { continue }
      guard let parent = directory(path.dropLast()) else { continue }
      if last == Self.opaque {
        for child in Files.list(parent) { try Files.removeTree(parent + "/" + child) }
      } else if last.hasPrefix(Self.mark) {
        let hidden = last.dropFirst(Self.mark.count)
        // Names with a second mark are instructions to others.
        guard !hidden.isEmpty, hidden != ".", hidden != "..", !hidden.hasPrefix(Self.mark) else {
          continue
        }
        try Files.removeTree(parent + "/" + hidden)
      } else if !name.hasSuffix("/") && Files.isDirectory(parent + "/" + last) {
        // tar does not put a file in the place of a directory.
        try Files.removeTree(parent + "/" + last)
      }
    }
  }

  /// A directory of the tree, or nil if there is none: a link may lead out of the tree.
  private func directory(_ path: ArraySlice<Substring>) -> String? {
    var place = root
    for part in path {
      place += "/" + part
      guard Files.isDirectory(place) else { return nil }
    }
    return place
  }
}
