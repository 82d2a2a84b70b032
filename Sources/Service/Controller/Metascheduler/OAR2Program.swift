// A program of OAR 2's, or of the site's, run as a child of a pass: its output line by line, with a time limit.

import CLinux
import Glibc
import NodeConnections
import Wire

/// A program to run.
struct OAR2Program {
  var path: String
  var arguments: [String]
  /// What its standard input holds.
  var input = ""

  /// Bytes of one line of output that are looked at.
  private static let longestLine = 64 * 1024
  /// Seconds for a program that closed its output and so has little left to do, however late it is.
  private static let lastSeconds = 1

  private var child: ChildProgram {
    var child = ChildProgram(path, arguments, environment: OAR2Environment.inherited)
    child.input = input
    return child
  }

  /// Runs it to its end, at most `limit` seconds; what it prints comes line by line.
  func run(limit: Int, line: (String) async throws -> Void) async rethrows -> ChildEnd {
    var ends: [Int32] = [-1, -1]
    let code = clinux_pipe(&ends, 0)
    guard code == 0 else { return .notStarted(String(cString: strerror(code))) }
    defer { close(ends[0]) }
    let pid: pid_t
    do {
      defer { close(ends[1]) }
      pid = try child.start(output: ends[1])
    } catch {
      return .notStarted("\(error)")
    }
    let deadline = Self.seconds + limit
    var lines = LineBuffer(longest: Self.longestLine)
    do {
      while let some = Self.read(ends[0], until: deadline) {
        for text in lines.add(some) { try await line(text) }
      }
      if let rest = lines.rest { try await line(rest) }
    } catch {
      ChildEnd.end(pid)
      throw error
    }
    return ChildEnd.of(pid, within: max(Self.lastSeconds, deadline - Self.seconds))
  }

  /// Starts it and leaves it alone: it may outlive this process. Its output is dropped.
  ///
  /// - Returns: why it could not be started; `nil` if it was.
  func start() -> String? {
    do {
      _ = try child.start(error: -1)
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// The next bytes; `nil` at the end or when the time is over.
  private static func read(_ descriptor: Int32, until deadline: Int) -> [UInt8]? {
    while true {
      let left = deadline - seconds
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard left > 0, poll(&entry, 1, Int32(clamping: left * 1000)) > 0 else { return nil }
      var buffer = [UInt8](repeating: 0, count: 16 * 1024)
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count > 0 { return Array(buffer[..<count]) }
      if count == 0 || errno != EINTR { return nil }
    }
  }

  /// A clock that nobody sets.
  private static var seconds: Int { Int(EventLoop.monotonicNanoseconds / 1_000_000_000) }
}

/// Bytes put together to lines; what is too long for one is cut.
struct LineBuffer {
  private let longest: Int
  private var bytes: [UInt8] = []

  init(longest: Int) { self.longest = longest }

  /// The lines that are whole now.
  mutating func add(_ some: [UInt8]) -> [String] {
    var lines: [String] = []
    for byte in some {
      if byte == UInt8(ascii: "\n") {
        lines.append(String(decoding: bytes, as: UTF8.self))
        bytes.removeAll(keepingCapacity: true)
      } else if bytes.count < longest {
        bytes.append(byte)
      }
    }
    return lines
  }

  /// A last line without its end.
  var rest: String? { bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
}
