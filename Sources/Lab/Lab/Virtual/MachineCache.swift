// Where kernels and templates of virtual machines are kept, beside the images: made once, used by all
// labs, removed when nobody uses them any more.

import Glibc

struct MachineCache {
  /// Absolute.
  var directory: String

  /// The most templates that are kept; those used last stay.
  private static let templateLimit = 8
  /// Names something that is just being made.
  private static let unfinished = ".new"

  /// Beside the images.
  static var standard: MachineCache {
    let images = ImageStore.standardDirectory
    return MachineCache(
      directory: String(images[..<(images.lastIndex(of: "/") ?? images.endIndex)]))
  }

  var kernels: String { directory + "/kernels" }
  var templates: String { directory + "/machines" }
  /// What was found out about KVM on this machine.
  var accelerator: String { directory + "/accelerator" }

  /// Gives the directory of a name, which is made by `body` if it is not there: all of it or nothing.
  /// Only one tool at a time makes something.
  func make(
    _ name: String, in place: String, deadline: Deadline, _ body: (String) throws -> Void
  ) throws -> String {
    let path = place + "/" + name
    if Files.isDirectory(path) {
      utimensat(AT_FDCWD, path, nil, 0)
      return path
    }
    try Files.makeDirectories(place, mode: 0o700)
    let lock = try lock(place, deadline)
    defer { close(lock) }
    if Files.isDirectory(path) { return path }
    try Files.removeTree(path + Self.unfinished)
    try Files.makeDirectories(path + Self.unfinished, mode: 0o700)
    do {
      try body(path + Self.unfinished)
    } catch {
      try? Files.removeTree(path + Self.unfinished)
      throw error
    }
    guard rename(path + Self.unfinished, path) == 0 else { throw LabError.system("make", path) }
    return path
  }

  private func lock(_ place: String, _ deadline: Deadline) throws -> Int32 {
    let lock = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { throw LabError.system("open", place) }
    while flock(lock, LOCK_EX | LOCK_NB) != 0 {
      guard !deadline.isOver else {
        close(lock)
        throw LabError("another tool has been making something in \(place) for too long")
      }
      usleep(50_000)
    }
    return lock
  }

  /// Removes templates that were not used for long when there are many.
  func removeOldTemplates() {
    func used(_ name: String) -> Int {
      var status = stat()
      return stat(templates + "/" + name, &status) == 0 ? status.st_mtim.tv_sec : 0
    }
    let names = Files.list(templates).filter { !$0.hasSuffix(Self.unfinished) }
    let old = names.sorted { used($0) > used($1) }.dropFirst(Self.templateLimit)
    for name in old { try? Files.removeTree(templates + "/" + name) }
  }
}
