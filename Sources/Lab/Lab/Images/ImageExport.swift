// An image as one file, for virtual machines and container engines: all its layers merged. Made once,
// kept in the store beside the layers.

import Glibc

extension ImageStore {
  /// The kinds of files that an image is exported to.
  enum Export: String, CaseIterable {
    case squashfs
    case tar
  }

  /// The path of a squashfs file (compressed with lz4) that holds the whole image.
  public func squashfs(
    of image: Image, timeout: Int = ImageStore.patience,
    progress: @escaping (String) -> Void = { _ in }
  ) throws -> String {
    try export(
      image, as: .squashfs, StoreWork(deadline: Deadline(seconds: timeout), progress: progress))
  }

  /// The path of a tar file that holds the whole image, with numeric owners and extended attributes.
  public func tarball(
    of image: Image, timeout: Int = ImageStore.patience,
    progress: @escaping (String) -> Void = { _ in }
  ) throws -> String {
    try export(image, as: .tar, StoreWork(deadline: Deadline(seconds: timeout), progress: progress))
  }

  func export(_ image: Image, as kind: Export, _ work: StoreWork) throws -> String {
    guard !image.directories.isEmpty else {
      throw LabError(
        "this machine's own root can't be made one file; take another root, such as debian:bookworm"
      )
    }
    let key = try exportKey(image, work)
    let path = directory + "/exports/\(key).\(kind.rawValue)"
    let what = "\(image.origin) as \(kind.rawValue)"
    return try make(
      what, place: "\(key)-\(kind.rawValue)", needs: 0, announcement: "writing \(what), once", work,
      found: { Files.exists(path) ? path : nil }
    ) { site in
      try write(image, as: kind, at: site, work)
      try Files.makeDirectories(directory + "/exports", mode: 0o700)
      guard rename(site.scratch + "/file", path) == 0 else {
        throw LabError.system("put in place", path)
      }
      return path
    }
  }

  private func write(
    _ image: Image, as kind: Export, at site: LayerSite, _ work: StoreWork
  ) throws {
    let merged = site.scratch + "/merged"
    let file = site.scratch + "/file"
    let command =
      switch kind {
      case .squashfs:
        [
          "mksquashfs", merged, file, "-comp", "lz4", "-noappend", "-no-progress", "-quiet",
          "-one-file-system",
        ]
      case .tar:
        [
          "tar", "--create", "--file=" + file, "--directory=" + merged, "--numeric-owner",
          "--xattrs", "--xattrs-include=*", "--xattrs-exclude=trusted.*", "--one-file-system", ".",
        ]
      }
    guard ToolRun.find(command[0]) != nil else {
      throw LabError(
        "\(command[0]) is missing; run Scripts/setup, or apt-get install squashfs-tools")
    }
    let plan = BuildPlan(
      place: .machine, root: merged, below: image.directories, attempts: [[command]],
      environment: ToolRun.environment)
    try build(plan, at: site, command[0], work)
  }

  /// The key of what is exported: directories that are not the store's may change under their names.
  private func exportKey(_ image: Image, _ work: StoreWork) throws -> String {
    let outside = image.directories.filter { !$0.hasPrefix(directory + "/") }
    guard !outside.isEmpty else { return image.key }
    let list = try ToolRun.run(
      ["find"] + outside + ["-xdev", "-printf", "%p %m %U %s %T@ %C@\\n"], deadline: work.deadline)
    return try Digest.of(["export 1", image.key, list.output], deadline: work.deadline)
  }
}
