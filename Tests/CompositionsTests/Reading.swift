// What the tests of composition files share.

import Compositions
import FoundationEssentials

/// What is wrong with a text, in the lines that a user is told; none if it is fine.
func complaints(_ text: String, directory: String? = nil) -> [String] {
  complaints(Array(text.utf8), directory: directory)
}

func complaints(_ bytes: [UInt8], directory: String? = nil) -> [String] {
  do {
    _ = try CompositionFile(
      reading: bytes, name: "lab.yaml", directory: directory, home: "/home/me")
    return []
  } catch {
    return error.problems.map(\.description)
  }
}

/// The composition that a text says.
func composition(
  _ text: String, setups: [String] = [], backend: BackendKind = .namespaces
) throws -> Composition {
  try CompositionFile(reading: text, name: "lab.yaml", directory: "/labs", home: "/home/me")
    .composition(setups: setups, backend: backend)
}

/// Why a choice is refused.
func refusal<Value>(_ work: () throws(CompositionError) -> Value) -> String? {
  do throws(CompositionError) {
    _ = try work()
    return nil
  } catch {
    return error.description
  }
}

/// A directory that is gone when the test is.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = "/tmp/liburna-compositions-\(UInt64.random(in: 0...UInt64.max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and gives its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = "\(path)/\(name)"
    try Data(text.utf8).write(to: URL(filePath: file))
    return file
  }
}

/// The text of a file of the repository.
func repositoryText(_ path: String, of file: String = #filePath) throws -> String {
  let root = file.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
  return try String(decoding: Data(contentsOf: URL(filePath: "\(root)/\(path)")), as: UTF8.self)
}
