// Ids of resources as ascending ranges, such as `1-4,7`.

import ClusterModel

enum ResourceRanges {
  /// The ids that a text names; `nil` if it is malformed, not ascending, or names more than a platform
  /// can have. The empty text names none.
  static func ids(_ text: String) -> [ResourceID]? {
    var ids: [ResourceID] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) where !text.isEmpty {
      let bounds = part.split(separator: "-", omittingEmptySubsequences: false)
      guard bounds.count <= 2, let low = bounds.first.flatMap({ Int($0) }),
        let high = bounds.last.flatMap({ Int($0) }), low > ids.last ?? 0, low <= high,
        high <= ResourceReader.limit
      else { return nil }
      ids += low...high
    }
    return ids
  }
}
