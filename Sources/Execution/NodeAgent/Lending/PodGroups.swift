// The processes of pods on this host: found by the cgroups that the kubelet keeps them in, ended, and kept from
// running by freezing these cgroups while the host is closed. A process that is put into a frozen cgroup stops
// before its first instruction there.

import Glibc
import Wire

struct PodGroups {
  let groups: any ControlGroups
  let keeping: PodKeeping

  /// The processes of pods that may not stay.
  var processes: [pid_t] { closedPaths.flatMap { groups.processes($0) } }

  /// Sends SIGKILL to all processes of pods that may not stay.
  func killAll() {
    for path in closedPaths { groups.killAll(path) }
  }

  /// Freezes what pods that may not stay would run in. What is not there is passed over.
  func freeze() throws(SystemError) {
    for path in closedPaths { try groups.setFrozen(path, true) }
  }

  /// Thaws all cgroups of pods, each by itself: where some might stay, those of others were frozen one by one.
  func thaw() throws(SystemError) {
    for path in present { try thaw(path) }
  }

  private func thaw(_ path: String) throws(SystemError) {
    do {
      try groups.setFrozen(path, false)
    } catch  where error.code == ENOENT {
      // The kubelet has removed it meanwhile.
      return
    }
    for child in groups.children(path) { try thaw("\(path)/\(child)") }
  }

  private var present: [String] { keeping.groups.filter { groups.exists($0) } }

  /// The cgroups that hold no pod which may stay: whole ones where none may.
  private var closedPaths: [String] {
    keeping.spared.isEmpty ? present : present.flatMap { closedPaths(below: $0) }
  }

  private func closedPaths(below path: String) -> [String] {
    guard !isSpared(path) else { return [] }
    let children = groups.children(path).map { "\(path)/\($0)" }
    guard children.contains(where: { isSpared($0) || holdsSpared($0) }) else { return [path] }
    return children.flatMap { closedPaths(below: $0) }
  }

  private func holdsSpared(_ path: String) -> Bool {
    groups.children(path).contains { isSpared("\(path)/\($0)") || holdsSpared("\(path)/\($0)") }
  }

  /// The kubelet names a pod's cgroup `pod<uid>`, or with systemd `…-pod<uid>.slice` with `_` for `-`.
  private func isSpared(_ path: String) -> Bool {
    guard let name = path.split(separator: "/").last else { return false }
    return keeping.spared.contains { uid in
      name == "pod\(uid)"
        || name.hasSuffix("-pod\(uid.map { $0 == "-" ? "_" : String($0) }.joined()).slice")
    }
  }
}
