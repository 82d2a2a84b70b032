// The compositions that the program brings with it.

import Documents
import ShippedCompositions

extension CompositionFile {
  /// In the order in which they are listed.
  public static var shippedNames: [String] {
    (0..<shipped_composition_count()).map { String(cString: shipped_composition_at($0).name) }
  }

  /// A shipped composition by its name.
  ///
  /// - Throws: ``CompositionError`` if there is none of this name.
  public static func shipped(_ name: String) throws(CompositionError) -> CompositionFile {
    guard let bytes = shippedBytes(name) else {
      let names = shippedNames
      throw CompositionError(
        file: "composition",
        "there is no composition \(quoted(name)); there are \(names.joined(separator: ", "))"
          + hint(for: name, of: names) + " (a file is named by a path, such as ./\(name).yaml)")
    }
    return try CompositionFile(reading: bytes, name: name)
  }

  /// A shipped composition as it is written, to be read or taken as the beginning of an own one.
  public static func shippedBytes(_ name: String) -> [UInt8]? {
    bytes(of: name, among: (0..<shipped_composition_count()).map(shipped_composition_at))
  }

  /// A file that shipped compositions name.
  static func shippedFile(_ name: String) -> [UInt8]? {
    bytes(of: name, among: (0..<shipped_file_count()).map(shipped_file_at))
  }

  private static func bytes(of name: String, among all: [shipped_composition]) -> [UInt8]? {
    guard let found = all.first(where: { String(cString: $0.name) == name }) else { return nil }
    return Array(UnsafeBufferPointer(start: found.content, count: found.length))
  }
}
