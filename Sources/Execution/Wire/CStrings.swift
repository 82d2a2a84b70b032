// Texts as C wants them, for as long as somebody needs them.

import Glibc

/// C strings, and lists of them, that live as long as the store.
public final class CStringStore {
  private var owned: [UnsafeMutablePointer<CChar>] = []
  private var lists: [UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>] = []

  public init() {}

  deinit {
    for string in owned { free(string) }
    for list in lists { list.deallocate() }
  }

  /// A copy of the text; `nil` for none.
  public func string(_ text: String?) -> UnsafePointer<CChar>? {
    guard let text, let copy = strdup(text) else { return nil }
    owned.append(copy)
    return UnsafePointer(copy)
  }

  /// Copies of the texts, and NULL at the end.
  public func list(_ texts: [String]) -> UnsafePointer<UnsafeMutablePointer<CChar>?> {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
      capacity: texts.count + 1)
    for (index, text) in texts.enumerated() {
      list[index] = UnsafeMutablePointer(mutating: string(text))
    }
    list[texts.count] = nil
    lists.append(list)
    return UnsafePointer(list)
  }
}
