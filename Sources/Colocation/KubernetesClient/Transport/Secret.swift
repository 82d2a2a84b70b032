// Keys and tokens as values that do not show themselves: not in logs, errors, descriptions or dumps.

/// Bytes that nobody but the server they are for may see.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public init(_ text: String) { bytes = Array(text.utf8) }

  public var description: String { "(secret)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: [:]) }

  /// The bytes as text, for the header that they go into.
  var text: String { String(decoding: bytes, as: UTF8.self) }
}
