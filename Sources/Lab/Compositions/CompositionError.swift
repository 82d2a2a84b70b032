// What is wrong with a composition file: the words of any document that people write.

import Documents

public typealias CompositionProblem = DocumentProblem
/// Why a composition can't be had.
public typealias CompositionError = DocumentError

extension Problems {
  func add(_ message: String, at field: Field) {
    add(field.path.isEmpty ? message : "\(field.path): \(message)", line: field.line)
  }
}
