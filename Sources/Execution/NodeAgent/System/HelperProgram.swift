// A small program of the system that is run for its output.

import CLinux
import Glibc
import Wire

/// One run of a program; it holds itself until it is over.
final class HelperProgram {
  /// What a program said and how it ended (raw wait status).
  struct Output {
    let output: String
    let status: Int32
  }

  /// The most bytes that are read of a program's output.
  static let outputLimit = 64 << 10
  /// Where programs are looked for.
  static let folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]

  private let loop: EventLoop
  private let pid: pid_t
  private let pidfd: Int32
  private let name: String
  private var output: [UInt8] = []
  private var port: Port?
  private var timer: TimerToken?
  private var isRead = false
  private var status: Int32?
  private var done: ((Result<Output, SystemError>) -> Void)?

  /// Runs `name`, or the program at that path, with arguments; `done` is called once, on the loop.
  static func run(
    _ name: String, _ arguments: [String], loop: EventLoop, patience: Double,
    done: @escaping (Result<Output, SystemError>) -> Void
  ) {
    do {
      let program = try HelperProgram(name, arguments, loop)
      program.begin(patience, done)
    } catch {
      done(.failure(error))
    }
  }

  private init(_ name: String, _ arguments: [String], _ loop: EventLoop) throws(SystemError) {
    let paths = name.hasPrefix("/") ? [name] : Self.folders.map { "\($0)/\(name)" }
    guard let path = paths.first(where: { access($0, X_OK) == 0 }) else {
      throw SystemError("no program \(name) in \(Self.folders.joined(separator: ":"))")
    }
    var ends: [Int32] = [-1, -1]
    let code = clinux_pipe(&ends, 0)
    guard code == 0 else { throw SystemError("cannot make a pipe", code: code) }
    defer { close(ends[1]) }
    var launch = Launch(program: path, arguments: [name] + arguments)
    launch.environment = ["PATH": Self.folders.joined(separator: ":"), "LC_ALL": "C"]
    launch.output = ends[1]
    do {
      let (pid, report) = try launch.start()
      close(report)
      self.pid = pid
    } catch {
      close(ends[0])
      throw error
    }
    self.loop = loop
    self.name = name
    pidfd = clinux_pidfd_open(pid)
    port = Port(
      loop: loop, descriptor: ends[0], reads: true,
      onBytes: { [weak self] in self?.take($0) }, onEnd: { [weak self] in self?.ended() })
  }

  private func begin(_ patience: Double, _ done: @escaping (Result<Output, SystemError>) -> Void) {
    self.done = done
    loop.watch(pidfd, for: .read) { _ in self.exited() }
    timer = loop.after(patience) {
      kill(self.pid, SIGKILL)
      self.finish(.failure(SystemError("\(self.name) does not answer", code: ETIMEDOUT)))
    }
  }

  private func take(_ bytes: [UInt8]) {
    if output.count + bytes.count <= Self.outputLimit { output += bytes }
  }

  private func ended() {
    isRead = true
    finishIfOver()
  }

  private func exited() {
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return }
    self.status = status
    loop.unwatch(pidfd)
    close(pidfd)
    finishIfOver()
  }

  private func finishIfOver() {
    guard isRead, let status else { return }
    finish(.success(Output(output: String(decoding: output, as: UTF8.self), status: status)))
  }

  private func finish(_ result: Result<Output, SystemError>) {
    if let timer { loop.cancel(timer) }
    timer = nil
    port?.close()
    let report = done
    done = nil
    report?(result)
  }
}
