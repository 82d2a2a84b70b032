// Tells at once that a cgroup came to be in a directory.

import Glibc
import Wire

final class GroupWatch {
  private let loop: EventLoop
  private var file: Int32 = -1
  private var directories: Set<String> = []

  init(loop: EventLoop) { self.loop = loop }

  deinit { end() }

  /// Watches these directories and no others. One that is not there, and a kernel that has no watch to give, are
  /// passed over: whoever asks looks from time to time all the same.
  func begin(_ directories: Set<String>, _ heard: @escaping () -> Void) {
    guard directories != self.directories || file < 0 else { return }
    end()
    self.directories = directories
    file = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard file >= 0 else { return }
    for directory in directories { _ = inotify_add_watch(file, directory, UInt32(IN_CREATE)) }
    loop.watch(file, for: .read) { [weak self] _ in
      self?.empty()
      heard()
    }
  }

  /// Watches nothing any more.
  func end() {
    guard file >= 0 else { return }
    loop.unwatch(file)
    close(file)
    file = -1
    directories = []
  }

  /// What was made is looked for anyway: names are not read.
  private func empty() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while read(file, &buffer, buffer.count) > 0 {}
  }
}
