// The lock of a lab: on its directory, so that nothing is left of it.

import Glibc

/// Only one tool at a time changes a lab.
struct LabLock {
  private let descriptor: Int32

  /// How long to wait for another tool, in seconds.
  static let patience = 60
  /// How often a directory is made that others remove.
  private static let attempts = 100
  /// How long the children of a tool that was killed may hold its lock, in milliseconds.
  private static let grace: Int64 = 200

  /// Locks a lab's directory, or gives nil if there is none.
  init?(existing directory: String) throws {
    let deadline = Deadline(seconds: Self.patience)
    while true {
      switch try Self.attempt(directory) {
      case .locked(let lock):
        self = lock
        return
      case .absent: return nil
      case .taken:
        guard !deadline.isOver else {
          throw LabError("another liburna lab has been working on \(directory) for a minute")
        }
        usleep(5000)
      }
    }
  }

  /// Locks a lab's directory if there is one and nobody works on it. With some patience: what a tool
  /// that was killed had just begun to start holds the lock until it is another program.
  init?(soonFree directory: String) throws {
    let deadline = Deadline(milliseconds: Self.grace)
    repeat {
      switch try Self.attempt(directory) {
      case .locked(let lock):
        self = lock
        return
      case .absent: return nil
      case .taken: usleep(5000)
      }
    } while !deadline.isOver
    return nil
  }

  private enum Attempt {
    case locked(LabLock)
    case taken
    case absent
  }

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  private static func attempt(_ directory: String) throws -> Attempt {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 && errno == ENOENT { return .absent }
    guard descriptor >= 0 else { throw LabError.system("open", directory) }
    // It may have been removed, or removed and made again, before the lock was ours.
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0, isStill(descriptor, directory) {
      return .locked(LabLock(descriptor))
    }
    close(descriptor)
    return .taken
  }

  /// Locks a lab's directory, which is made if need be.
  init(making directory: String) throws {
    // Somebody may just be removing the last lab, and the place of all labs with it.
    for _ in 0..<Self.attempts {
      try? Files.makeDirectories(directory, mode: 0o700)
      if let lock = try LabLock(existing: directory) {
        self = lock
        return
      }
    }
    try Files.makeDirectories(directory, mode: 0o700)
    throw LabError("\(directory) vanishes as often as it is made; does something remove it?")
  }

  private static func isStill(_ descriptor: Int32, _ directory: String) -> Bool {
    var held = stat()
    var named = stat()
    return fstat(descriptor, &held) == 0 && stat(directory, &named) == 0
      && held.st_ino == named.st_ino && held.st_dev == named.st_dev
  }

  func release() { close(descriptor) }
}
