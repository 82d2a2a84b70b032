// Resource requests as text again, in the form that `oarstat -f` shows.

import ClusterModel

extension RequestGroup {
  /// The group as `{condition}/property=count/…`; the parser reads it back as it was.
  public var text: String {
    let condition = properties.isEmpty ? "" : "{\(properties)}"
    return condition + levels.map { "/\($0.property)=\($0.count.text)" }.joined()
  }
}

extension Moldable {
  /// The shape as one value of `-l`, its walltime included.
  public var requestText: String {
    groups.map(\.text).joined(separator: "+") + ",walltime=\(walltime.hoursMinutesSeconds)"
  }
}

extension Collection where Element == Moldable {
  /// All shapes as `oarstat -f` shows them, each followed by a blank: `-l "…" -l "…" `.
  public var wantedResources: String {
    map { "-l \"\($0.requestText)\" " }.joined()
  }
}
