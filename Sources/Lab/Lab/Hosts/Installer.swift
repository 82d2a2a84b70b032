// Puts planned files where they belong. A file replaces whatever was in its place.

import Glibc

enum Installer {
  static func install(_ items: [PlannedItem], below root: String) throws {
    for item in items {
      // The directory is where the root's own links lead; the last name is never followed.
      let slash = item.path.lastIndex(of: "/") ?? item.path.startIndex
      let directory = Files.place(of: String(item.path[..<slash]), below: root)
      try install(item, at: directory + item.path[slash...])
    }
  }

  private static func install(_ item: PlannedItem, at path: String) throws {
    if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      try Files.makeDirectories(String(path[..<slash]))
    }
    switch item.kind {
    case .directory:
      try Files.makeDirectories(path)
    case .file:
      // Unlinked first: the name may be a link of the machine that leads elsewhere.
      unlink(path)
      try Files.write(item.content, to: path, mode: 0o600)
    case .link:
      unlink(path)
      guard symlink(item.content, path) == 0 else {
        throw LabError.system("link", path)
      }
      return
    }
    guard chown(path, item.user, item.group) == 0, chmod(path, item.mode) == 0 else {
      throw LabError.system("set the owner and mode of", path)
    }
  }
}
