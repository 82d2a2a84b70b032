// Files that a composition names: where they are, and what is in them.

import Glibc

/// Where relative paths of a composition begin.
struct Surroundings: Sendable {
  /// The absolute directory of the file, or nil for a shipped one, which names shipped files.
  var directory: String?
  /// What `~` stands for.
  var home: String?

  /// A path of the machine, made absolute.
  func resolve(_ path: String) -> Result<String, Complaint> {
    if path.hasPrefix("/") { return .success(path) }
    if path == "~" || path.hasPrefix("~/") {
      guard let home else { return .failure(Complaint("there is no HOME that ~ could stand for")) }
      return .success(home + path.dropFirst())
    }
    let inner = path.hasPrefix("./") ? path.dropFirst(2) : path[...]
    guard let directory else {
      guard CompositionFile.shippedFile(String(inner)) != nil else {
        return .failure(Complaint("a shipped composition names no files beside it"))
      }
      return .success(SourceFiles.shipped + inner)
    }
    return .success(inner.isEmpty || inner == "." ? directory : "\(directory)/\(inner)")
  }
}

/// Why a value does not fit.
struct Complaint: Error {
  var message: String

  init(_ message: String) { self.message = message }
}

/// The contents of files that hosts are given, each read once.
final class SourceFiles {
  /// Bytes of one file.
  static let largest = 16 << 20
  /// What the paths of shipped files begin with.
  static let shipped = "shipped:"
  private var contents: [String: Result<String, Complaint>] = [:]

  /// The text of a file.
  func text(_ path: String) -> Result<String, Complaint> {
    if let known = contents[path] { return known }
    let result = Self.bytes(path).flatMap { bytes -> Result<String, Complaint> in
      guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
        return .failure(Complaint("\(path) is no text (UTF-8); use a volume for it"))
      }
      return .success(text)
    }
    contents[path] = result
    return result
  }

  private static func bytes(_ path: String) -> Result<[UInt8], Complaint> {
    guard path.hasPrefix(shipped) else { return read(path, limit: largest) }
    let name = String(path.dropFirst(shipped.count))
    return CompositionFile.shippedFile(name).map { .success($0) }
      ?? .failure(Complaint("there is no file \(name) among those that are shipped"))
  }

  /// The whole of a regular file.
  static func read(_ path: String, limit: Int) -> Result<[UInt8], Complaint> {
    func failure(_ code: Int32) -> Result<[UInt8], Complaint> {
      .failure(Complaint("\(path) can't be read: \(String(cString: strerror(code)))"))
    }
    // Opening a pipe that nobody writes to would wait for ever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return failure(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return failure(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      return .failure(Complaint("\(path) is no file"))
    }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while content.count <= limit {
      let got = Glibc.read(descriptor, &chunk, chunk.count)
      guard got >= 0 else { return failure(errno) }
      if got == 0 { return .success(content) }
      content.append(contentsOf: chunk[0..<got])
    }
    return .failure(Complaint("\(path) is larger than \(limit) bytes"))
  }
}
