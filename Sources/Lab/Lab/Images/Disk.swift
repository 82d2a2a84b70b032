// How full the disk is, told in words that help.

import Glibc

enum Disk {
  /// Bytes that ordinary programs may still write to the file system of a path.
  static func free(_ path: String) -> Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return .max }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  /// Less than this is as good as nothing, in bytes.
  private static let little = 1 << 20

  static func isFull(_ path: String) -> Bool { free(path) < little }

  /// Makes sure that there is room before something large is begun.
  static func require(_ bytes: Int, in directory: String, for what: String) throws {
    let free = free(directory)
    guard free < bytes else { return }
    throw LabError(
      "\(what) needs about \(text(bytes)) in \(directory), and the file system of "
        + "\(mountPoint(of: directory)) has only \(text(free)) free; " + advice)
  }

  static func full(_ directory: String, used: Int, for what: String) -> String {
    "\(what): the disk is full: the file system of \(mountPoint(of: directory)) has "
      + "\(text(free(directory))) free after \(text(used)) were written to \(directory) (removed "
      + "again); " + advice
  }

  private static let advice =
    "make room (`liburna lab images --unused` removes images that no lab uses), or name another place in "
    + "LIBURNA_CACHE_DIR"

  /// The mount that a path lies on, or the closest directory above it that exists.
  static func mount(of path: String) -> MountEntry? {
    var place = path
    while !Files.exists(place), let slash = place.lastIndex(of: "/"), slash > place.startIndex {
      place = String(place[..<slash])
    }
    place = Files.resolve(place) ?? place
    let mounts = MountEntry.parse((try? Files.readText("/proc/self/mountinfo")) ?? "")
    let above = mounts.filter { entry in
      place == entry.point || entry.point == "/" || place.hasPrefix(entry.point + "/")
    }
    let longest = above.map(\.point.utf8.count).max()
    // Of several at one place, the last one is seen.
    return above.last { $0.point.utf8.count == longest }
  }

  private static func mountPoint(of path: String) -> String { mount(of: path)?.point ?? "/" }

  /// The bytes of a file's content; 0 if there is none.
  static func size(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Bytes of the disk that a directory or file takes with all that is in it.
  static func usage(of path: String) -> Int {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    var sum = Int(status.st_blocks) * 512
    guard status.st_mode & S_IFMT == S_IFDIR else { return sum }
    for name in Files.list(path) { sum += usage(of: path + "/" + name) }
    return sum
  }

  /// A size for people.
  static func text(_ bytes: Int) -> String {
    bytes < 1 << 30
      ? "\((bytes + (1 << 20) - 1) >> 20) MiB"
      : "\(bytes >> 30).\((bytes >> 20 & 1023) * 10 / 1024) GiB"
  }
}
