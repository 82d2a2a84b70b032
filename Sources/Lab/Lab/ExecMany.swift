// Running one command on many hosts at a time, with the lines that each of them writes.

import CLinux
import Glibc

extension Lab {
  /// The most commands that run at a time.
  public static let fanOut = 64
  /// The exit code of a host that could not be entered, as of ssh.
  public static let unreachable: Int32 = 255

  /// Runs a command without input on hosts, many at a time, and gives their exit codes in the order of
  /// the hosts. `show` is given each line as it comes, without its end, and whether it came from
  /// standard error; a host that can't run the command has a line of our own that says why.
  public func exec(
    _ command: HostCommand, on hosts: [String],
    show: (_ host: String, _ line: [UInt8], _ isError: Bool) -> Void
  ) throws -> [Int32] {
    let state = try existing()
    var codes = [Int32](repeating: 0, count: hosts.count)
    var next = 0
    var running: [RemoteCommand] = []
    while next < hosts.count || !running.isEmpty {
      while next < hosts.count, running.count < Self.fanOut {
        do {
          running.append(try start(command, on: hosts[next], place: next, state))
        } catch let error as StartError {
          codes[next] = error.code == ENOENT ? Self.notFound : Self.cannotRun
          show(hosts[next], Array(error.message.utf8), true)
        } catch let error as LabError {
          codes[next] = Self.unreachable
          show(hosts[next], Array(error.message.utf8), true)
        }
        next += 1
      }
      RemoteCommand.wait(for: running)
      for index in running.indices.reversed() {
        running[index].pass(show)
        guard running[index].child.ends(within: 0) else { continue }
        running[index].finish(show)
        codes[running[index].place] = running[index].child.wait()
        running.remove(at: index)
      }
    }
    return codes
  }

  private func start(
    _ command: HostCommand, on host: String, place: Int, _ state: LabState
  ) throws -> RemoteCommand {
    let backend = try backend(reaching: host, in: state)
    let output = try LinePipe()
    do {
      let errors = try LinePipe()
      let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
      defer {
        for descriptor in [input, output.end, errors.end] { close(descriptor) }
      }
      do {
        let child = try backend.start(
          command, on: host, in: state, descriptors: [input, output.end, errors.end])
        return RemoteCommand(
          host: host, place: place, child: child, output: output, errors: errors)
      } catch {
        close(errors.descriptor)
        throw error
      }
    } catch {
      close(output.descriptor)
      throw error
    }
  }
}

/// A command that runs in a host, and what it has written.
private struct RemoteCommand {
  typealias Show = (_ host: String, _ line: [UInt8], _ isError: Bool) -> Void

  var host: String
  var place: Int
  var child: Child
  var output: LinePipe
  var errors: LinePipe

  /// Waits until one of them writes or ends.
  static func wait(for running: [RemoteCommand]) {
    var waits = running.flatMap { command in
      [command.child.descriptor, command.output.polled, command.errors.polled].map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
    }
    guard !waits.isEmpty else { return }
    _ = poll(&waits, nfds_t(waits.count), -1)
  }

  mutating func pass(_ show: Show) {
    output.read { show(host, $0, false) }
    errors.read { show(host, $0, true) }
  }

  /// Shows what is left when the command has ended; what it started may still hold the pipes open.
  mutating func finish(_ show: Show) {
    pass(show)
    output.flush { show(host, $0, false) }
    errors.flush { show(host, $0, true) }
    close(output.descriptor)
    close(errors.descriptor)
  }
}

/// A pipe from which whole lines are read, and never waited for.
private struct LinePipe {
  let descriptor: Int32
  /// The end for the command.
  let end: Int32
  private var rest: [UInt8] = []
  private var isOpen = true

  /// A line that is longer is shown in pieces of so many bytes.
  private static let lineLimit = 65_536

  init() throws {
    var ends: [Int32] = [-1, -1]
    let error = clinux_pipe(&ends, 0)
    guard error == 0 else { throw LabError.system("open", "a pipe", error) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    (descriptor, end) = (ends[0], ends[1])
  }

  var polled: Int32 { isOpen ? descriptor : -1 }

  mutating func read(_ show: ([UInt8]) -> Void) {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while isOpen {
      let got = Glibc.read(descriptor, &chunk, chunk.count)
      if got < 0 { return }
      if got == 0 { isOpen = false }
      var bytes = chunk[0..<max(0, got)]
      while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        show(rest + bytes[..<end])
        rest = []
        bytes = bytes[(end + 1)...]
      }
      rest += bytes
      if rest.count >= Self.lineLimit { flush(show) }
    }
  }

  mutating func flush(_ show: ([UInt8]) -> Void) {
    if !rest.isEmpty { show(rest) }
    rest = []
  }
}
