// A real API server of Kubernetes with its etcd on this machine, for the tests of one process: started
// when it is first asked for, gone with the process however that ends. It has no controllers, no
// scheduler and no kubelets: nodes and pods are what tests make them. A second one has the controllers that make
// tokens of accounts and empty namespaces, for tests of what touches the whole of a cluster.

import CLinux
import Dispatch
import Glibc

package struct FixtureError: Error, CustomStringConvertible {
  package let description: String
}

package struct ApiServer: Sendable {
  package let port: Int
  /// Where its etcd answers, over HTTP without TLS.
  package let etcdPort: Int
  /// Where its certificates are: `ca.crt`, `admin.crt`, `admin.key`, `guest.crt` …
  package let directory: String

  package var url: String { "https://127.0.0.1:\(port)" }

  private static let shared = Task { try await offThread { try start("", controllers: "") } }
  private static let controlled = Task {
    try await offThread {
      try start("-controlled", controllers: "serviceaccount-token,namespace")
    }
  }

  /// The one of this process.
  package static func running() async throws -> ApiServer { try await shared.value }

  /// The one with controllers.
  package static func runningWithControllers() async throws -> ApiServer {
    try await controlled.value
  }

  /// A file of its directory.
  package func file(_ name: String) throws -> [UInt8] { try bytes(of: "\(directory)/\(name)") }

  // MARK: - Starting

  private static func start(_ suffix: String, controllers: String) throws -> ApiServer {
    let here = #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    let builder = here + "/../../Sources/Lab/Compositions/Shipped/build-kubernetes"
    // Builds what is missing, for minutes, once on a machine; the lab uses the same.
    let programs = try lastLine(of: ["/bin/sh", builder])
    let ports = try freePorts(3)
    let directory = "\(temporary)/liburna-kubernetes-\(getpid())\(suffix)"
    let arguments = [directory, programs] + ports.map(String.init) + [controllers]
    try serve(["/bin/sh", here + "/serve"] + arguments)
    return ApiServer(port: ports[0], etcdPort: ports[1], directory: directory)
  }

  private static var temporary: String {
    getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
  }

  /// Starts the servers. Our end of their input is closed by the kernel when this process ends.
  private static func serve(_ words: [String]) throws {
    var (input, output) = ([Int32](repeating: 0, count: 2), [Int32](repeating: 0, count: 2))
    guard clinux_pipe(&input, 0) == 0, clinux_pipe(&output, 0) == 0 else {
      throw FixtureError(description: "no pipe: errno \(errno)")
    }
    let pid = try launch(words, input: input[0], output: output[1])
    close(input[0])
    close(output[1])
    let said = read(output[0], until: "ready\n")
    close(output[0])
    guard said.hasSuffix("ready\n") else {
      _ = wait(for: pid)
      throw FixtureError(description: said)
    }
  }

  private static func lastLine(of words: [String]) throws -> String {
    var output = [Int32](repeating: 0, count: 2)
    guard clinux_pipe(&output, 0) == 0 else {
      throw FixtureError(description: "no pipe: errno \(errno)")
    }
    let pid = try launch(words, input: -1, output: output[1])
    close(output[1])
    let said = read(output[0], until: nil)
    close(output[0])
    guard wait(for: pid) == 0, let line = said.split(separator: "\n").last else {
      throw FixtureError(description: "\(words.joined(separator: " ")) failed: \(said)")
    }
    return String(line)
  }

  private static func launch(_ words: [String], input: Int32, output: Int32) throws -> pid_t {
    let words = words.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var report: Int32 = -1
    let pid = words.withUnsafeBufferPointer { words in
      var launch = clinux_launch()
      launch.program = words[0].map { UnsafePointer($0) }
      launch.arguments = words.baseAddress
      launch.environment = UnsafePointer(environ)
      (launch.input, launch.output, launch.error) = (input, output, STDERR_FILENO)
      (launch.terminal, launch.group_directory) = (-1, -1)
      return clinux_launch(&launch, &report)
    }
    guard pid > 0 else { throw FixtureError(description: "no process: errno \(errno)") }
    close(report)
    return pid
  }

  private static func wait(for pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return status
  }

  private static func read(_ descriptor: Int32, until mark: String?) -> String {
    var text = ""
    var chunk = [UInt8](repeating: 0, count: 4096)
    while mark.map({ !text.hasSuffix($0) }) ?? true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      text += String(decoding: chunk[..<count], as: UTF8.self)
    }
    return text
  }

  /// Ports that nobody listens on, taken all at once so that they differ.
  private static func freePorts(_ count: Int) throws -> [Int] {
    var (sockets, ports) = ([Int32](), [Int]())
    defer { for socket in sockets { close(socket) } }
    for _ in 0..<count {
      let (socket, port) = try listeningSocket()
      sockets.append(socket)
      ports.append(port)
    }
    return ports
  }
}

/// A socket that listens on a free port of 127.0.0.1.
package func listeningSocket() throws -> (socket: Int32, port: Int) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  let isListening = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, size) == 0 && listen(descriptor, 64) == 0
        && getsockname(descriptor, $0, &size) == 0
    }
  }
  guard isListening else { throw FixtureError(description: "no port: errno \(errno)") }
  return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}

/// The content of a file.
package func bytes(of path: String) throws -> [UInt8] {
  guard let file = fopen(path, "re") else {
    throw FixtureError(description: "\(path): errno \(errno)")
  }
  defer { fclose(file) }
  var content: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
    content += chunk[..<count]
  }
  return content
}

/// Runs work that blocks away from the threads that tests share.
package func offThread<Value: Sendable>(
  _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "fixture").async { continuation.resume(with: Result(catching: work)) }
  }
}
