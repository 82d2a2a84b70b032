// Programs of the machine that the store asks something: started, read to the end, with a deadline.

import CLinux
import Glibc

enum ToolRun {
  /// What a program answered.
  struct Answer {
    var code: Int32
    /// What it wrote to standard output, at most `limit` bytes.
    var output: String
    /// What it wrote to standard error, if that was asked apart; else empty.
    var problem: String
  }

  /// The most bytes of an answer.
  static let limit = 64 << 20

  static var environment: [String] {
    // A proxy that the machine needs is known to its environment alone.
    let kept = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]
      .compactMap { name in getenv(name).map { name + "=" + String(cString: $0) } }
    let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
    return kept + [
      "LC_ALL=C.UTF-8", "HOME=" + home, "PATH=" + HostEntry.searchPath.joined(separator: ":"),
    ]
  }

  /// Where a program of the machine is, or nil.
  static func find(_ name: String) -> String? {
    HostEntry.searchPath.map { $0 + "/" + name }.first { access($0, X_OK) == 0 }
  }

  /// Runs a program, named or by its path, and gives its answer. `more` is added to its
  /// environment. A program that is not done at the deadline is killed.
  static func run(
    _ arguments: [String], input: [UInt8] = [], more environment: [String] = [], deadline: Deadline
  ) throws -> Answer {
    let given = clinux_memory_file(input, input.count)
    let output = clinux_memory_file(nil, 0)
    let problem = clinux_memory_file(nil, 0)
    defer { for file in [given, output, problem] where file >= 0 { close(file) } }
    guard given >= 0, output >= 0, problem >= 0 else {
      throw LabError.system("make", "a file in memory")
    }
    let launch = Launch(
      program: .path(arguments[0], in: HostEntry.searchPath), arguments: arguments,
      environment: Self.environment + environment, descriptors: [given, output, problem],
      directory: "/",
      newSession: true)
    let child: Child
    do {
      child = try launch.start()
    } catch let error as StartError {
      throw LabError(error.message)
    }
    guard child.ends(before: deadline) else {
      kill(-child.pid, SIGKILL)
      _ = child.wait()
      throw LabError("\(arguments[0]) did not end in time and was killed")
    }
    let code = child.wait()
    return Answer(code: code, output: try text(of: output), problem: try text(of: problem))
  }

  private static func text(of file: Int32) throws -> String {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while content.count < limit {
      let got = pread(file, &chunk, chunk.count, off_t(content.count))
      guard got > 0 else { break }
      content.append(contentsOf: chunk[0..<got])
    }
    return String(decoding: content, as: UTF8.self)
  }
}

extension ToolRun.Answer {
  /// The first lines of what a program complained about, on one line.
  var complaint: String {
    let lines = (problem.isEmpty ? output : problem).split(separator: "\n").suffix(4)
    return lines.map { $0.trimmed }.joined(separator: "; ")
  }
}

extension StringProtocol {
  /// Without the blanks at both ends.
  var trimmed: String {
    let front = drop { $0.isWhitespace }
    let end = front.lastIndex { !$0.isWhitespace }
    return end.map { String(front[...$0]) } ?? ""
  }
}
