// A container engine, asked over its socket in the language that Docker's and podman's have in common.

import CCurl
import Compositions
import Encoding
import Glibc

struct ContainerEngine: Sendable {
  let kind: BackendKind
  let socket: String
  /// The version of the language that is spoken, such as `1.41`.
  let version: String

  /// The versions that will do: what is asked here has been there since the first, and is known to
  /// mean the same up to the last.
  private static let versions = (oldest: [1, 24], newest: [1, 41])
  /// The most bytes of an answer.
  static let answerLimit = 16 << 20
  /// How long a request may take unless it says otherwise, in seconds.
  static let patience = 60

  /// Finds the engine and agrees with it on a version.
  static func find(_ kind: BackendKind) throws -> ContainerEngine {
    guard ccurl_load() == 0 else {
      throw LabError("libcurl is missing; install it: apt-get install libcurl4")
    }
    let socket = try EngineSocket.find(kind)
    let bare = ContainerEngine(kind: kind, socket: socket, version: "")
    let answer = try bare.ask("GET", "/version", seconds: 10)
    return ContainerEngine(kind: kind, socket: socket, version: try agree(on: answer, kind, socket))
  }

  static func agree(
    on answer: JSONValue, _ kind: BackendKind, _ socket: String
  ) throws -> String {
    guard let newest = answer["ApiVersion"]?.string.flatMap(numbers) else {
      throw LabError("\(socket) is not the socket of a container engine: it tells no ApiVersion")
    }
    let oldest = answer["MinAPIVersion"]?.string.flatMap(numbers) ?? newest
    guard !newest.lexicographicallyPrecedes(versions.oldest) else {
      throw LabError(
        "\(kind.rawValue) at \(socket) speaks version \(text(newest)) of its language; "
          + "\(text(versions.oldest)) or newer is needed")
    }
    var chosen = newest.lexicographicallyPrecedes(versions.newest) ? newest : versions.newest
    // An engine that has forgotten ours is asked in the oldest that it knows.
    if chosen.lexicographicallyPrecedes(oldest) { chosen = oldest }
    return text(chosen)
  }

  private static func numbers(_ text: String) -> [Int]? {
    let parts = text.split(separator: ".").map { Int($0) }
    return parts.count >= 2 && parts.allSatisfy { $0 != nil } ? parts.compactMap(\.self) : nil
  }

  private static func text(_ version: [Int]) -> String {
    version.map(String.init).joined(separator: ".")
  }

  // MARK: - Asking

  /// What a request carries.
  enum Body {
    case none
    case json(JSONValue)
    /// A tar file, read from a descriptor to its end.
    case archive(Int32)
  }

  struct Answer {
    var status: Int
    var body: [UInt8]
    var isFine: Bool { (200..<300).contains(status) || status == 304 }
  }

  /// Asks, and gives the answer as a value; null if it is empty.
  ///
  /// - Parameter allowed: statuses beyond 2xx that are fine.
  @discardableResult
  func ask(
    _ method: String, _ path: String, _ body: Body = .none, allowed: Set<Int> = [],
    seconds: Int = patience
  ) throws -> JSONValue {
    let answer = try raw(method, path, body, seconds: seconds)
    guard answer.isFine || allowed.contains(answer.status) else {
      throw LabError(Self.words(answer) + " (\(kind.rawValue), \(method) \(path))")
    }
    guard !answer.body.isEmpty else { return .null }
    return (try? JSONReader.read(answer.body)) ?? .null
  }

  /// Asks, and gives the answer as it comes.
  func raw(
    _ method: String, _ path: String, _ body: Body = .none, seconds: Int = patience
  ) throws -> Answer {
    var bytes: [UInt8] = []
    var kind: String?
    var file: Int32 = -1
    switch body {
    case .none: break
    case .json(let value): (bytes, kind) = (Array(value.text.utf8), "application/json")
    case .archive(let descriptor): (file, kind) = (descriptor, "application/x-tar")
    }
    let prefix = version.isEmpty ? "" : "/v" + version
    var answer = ccurl_answer()
    defer { ccurl_free(&answer) }
    let words: [String] = [method, "http://engine\(prefix)\(path)", socket]
    let texts: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    let type: UnsafeMutablePointer<CChar>? = kind.flatMap { strdup($0) }
    defer { for text in texts + [type] { free(text) } }
    bytes.withUnsafeBytes { buffer in
      var request = ccurl_request(
        method: texts[0], url: texts[1], socket: texts[2], content_type: type,
        body: buffer.baseAddress, body_size: buffer.count, body_file: file,
        answer_limit: Self.answerLimit, timeout: seconds * 1000)
      ccurl_perform(&request, &answer)
    }
    guard answer.status != 0 else { throw noAnswer(&answer, method, path) }
    let content = UnsafeRawBufferPointer(start: answer.body, count: answer.size)
    return Answer(status: answer.status, body: Array(content))
  }

  private func noAnswer(
    _ answer: inout ccurl_answer, _ method: String, _ path: String
  ) -> LabError {
    let why = withUnsafePointer(to: &answer.error) { pointer in
      pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    return LabError(
      "\(kind.rawValue) at \(socket) does not answer \(method) \(path): \(why)")
  }

  /// What the engine says is wrong.
  static func words(_ answer: Answer) -> String {
    let value = try? JSONReader.read(answer.body)
    if let message = value?["message"]?.string ?? value?["cause"]?.string { return message }
    let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
    return text.isEmpty ? "the engine answered \(answer.status)" : text
  }

  /// A text as a part of a path or query.
  static func escaped(_ text: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
    var escaped = ""
    for byte in text.utf8 {
      if plain.contains(byte) {
        escaped.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        escaped += digits.count == 1 ? "%0" + digits : "%" + digits
      }
    }
    return escaped
  }
}
