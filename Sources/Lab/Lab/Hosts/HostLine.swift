// How the tool reaches the first process of a host that is a container or a machine, as that process
// sees it.

import CLinux
import Glibc

/// Where requests come from.
enum HostLine: Equatable {
  /// A stream that is open already: what is read, and what is written. When it ends, no more come.
  case open(input: Int32, output: Int32)
  /// A device with one other end, which comes and goes: the port of a virtual machine.
  case device(String)
  /// A unix socket that we make; each connection is a line of its own.
  case socket(String)

  /// Reads the words that name a line; none mean descriptor 3.
  init?(_ words: [String]) {
    switch (words.first, words.count) {
    case (nil, _):
      self = .open(input: BootChannel.descriptor, output: BootChannel.descriptor)
    case ("--stdio", 1): self = .open(input: STDIN_FILENO, output: STDOUT_FILENO)
    case ("--line", 2): self = .device(words[1])
    case ("--listen", 2): self = .socket(words[1])
    default: return nil
    }
  }
}

/// A line with its descriptors.
struct OpenHostLine {
  /// A socket that listens, or -1.
  var listener: Int32 = -1
  /// The stream that the host is made over; -1 until somebody has connected.
  var input: Int32 = -1
  var output: Int32 = -1
  /// Whether the stream may come back after its end.
  var returns = false

  /// How many connections may wait.
  private static let waiting: Int32 = 64

  init(_ line: HostLine) throws {
    switch line {
    case .open(let input, let output): (self.input, self.output) = (input, output)
    case .device(let path):
      input = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
      guard input >= 0 else { throw LabError.system("open", path) }
      output = input
      returns = true
    case .socket(let path): listener = try Self.listen(path)
    }
  }

  private static func listen(_ path: String) throws -> Int32 {
    unlink(path)
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0, var address = UnixAddress(path) else {
      throw LabError("\(path) can't be a socket: it is longer than the 107 bytes of an address")
    }
    // Whoever may write to the socket commands the host.
    let mask = umask(0o177)
    let bound = address.with { bind(listener, $0, $1) }
    umask(mask)
    guard bound == 0, Glibc.listen(listener, waiting) == 0 else {
      throw LabError.system("listen at", path)
    }
    return listener
  }

  /// Waits for the stream that the host is made over.
  mutating func awaitStream(before deadline: Deadline) throws {
    while input < 0 {
      guard !deadline.isOver else { throw LabError("nobody told this host what to become") }
      guard ByteStream.isReadable(listener, within: deadline.remaining) else { continue }
      input = accept()
      output = input
    }
  }

  /// The next connection, or -1.
  func accept() -> Int32 {
    let connection = Glibc.accept(listener, nil, nil)
    if connection >= 0 { _ = fcntl(connection, F_SETFD, FD_CLOEXEC) }
    return connection
  }
}

/// The address of a unix socket.
struct UnixAddress {
  private var address = sockaddr_un()

  /// Nil if the path is too long for one.
  init?(_ path: String) {
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
  }

  mutating func with(_ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        use($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Opens a connection to a socket, however long its path is. A descriptor, or -1 with errno. Never
  /// waits: where as many connections wait already as may, it fails with EAGAIN.
  static func connect(_ path: String) -> Int32 {
    guard let slash = path.lastIndex(of: "/") else { return -1 }
    let directory = open(String(path[..<slash]) + "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return -1 }
    defer { close(directory) }
    let short = "/proc/self/fd/\(directory)\(path[slash...])"
    guard var address = UnixAddress(short) else { return -1 }
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let socket = socket(AF_UNIX, Int32(kind), 0)
    guard socket >= 0 else { return -1 }
    if address.with({ Glibc.connect(socket, $0, $1) }) == 0 {
      _ = fcntl(socket, F_SETFL, O_RDWR)
      return socket
    }
    let error = errno
    close(socket)
    errno = error
    return -1
  }
}
