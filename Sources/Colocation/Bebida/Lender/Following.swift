// What Kubernetes has: all nodes and pods, followed.

import KubernetesClient

/// How far what is known of Kubernetes is what it has now.
struct Following {
  var hasNodes = false
  var hasPods = false

  var isCurrent: Bool { hasNodes && hasPods }
}

extension Lender {
  func followNodes() async {
    for await change in client.follow(Node.self) {
      switch change {
      case .added(let node), .changed(_, let node):
        let isNew = nodes.updateValue(node, forKey: node.name) == nil
        if isNew { matchNodesSoon() } else { reconsiderNode(node.name) }
      case .deleted(let node):
        nodes[node.name] = nil
        pods[node.name] = nil
        matchNodesSoon()
      case .synchronized: hear(\.hasNodes, true)
      case .interrupted(let error): interrupted(\.hasNodes, error)
      case .setAside(let aside):
        side.say("the node \(aside.name) can't be understood: \(aside.reason)")
      }
    }
  }

  func followPods() async {
    for await change in client.follow(Pod.self) {
      switch change {
      case .added(let pod): take(pod)
      case .changed(let before, let pod):
        if before.nodeName != pod.nodeName { drop(before) }
        take(pod)
      case .deleted(let pod): drop(pod)
      case .synchronized: hear(\.hasPods, true)
      case .interrupted(let error): interrupted(\.hasPods, error)
      case .setAside(let aside):
        side.say("the pod \(aside.name) can't be understood: \(aside.reason)")
      }
    }
  }

  private func take(_ pod: Pod) {
    guard !pod.nodeName.isEmpty else { return }
    pods[pod.nodeName, default: [:]][pod.metadata.uid] = pod
    count(pod)
    reconsiderNode(pod.nodeName)
  }

  private func drop(_ pod: Pod) {
    pods[pod.nodeName]?[pod.metadata.uid] = nil
    countEnd(of: pod)
    reconsiderNode(pod.nodeName)
  }

  private func reconsiderNode(_ node: String) {
    if let host = hostOfNode[node] { reconsider(host) }
  }

  private func hear(_ part: WritableKeyPath<Following, Bool>, _ isCurrent: Bool) {
    guard following[keyPath: part] != isCurrent else { return }
    following[keyPath: part] = isCurrent
    if following.isCurrent { side.say("Kubernetes at \(client.access.server) is followed") }
    for host in hosts.keys { reconsider(host) }
  }

  private func interrupted(_ part: WritableKeyPath<Following, Bool>, _ error: KubernetesError) {
    if following.isCurrent {
      side.say("Kubernetes is not followed now, it is tried again: \(error)")
    }
    following[keyPath: part] = false
    counts.interruptions += 1
    for host in hosts.keys { reconsider(host) }
  }
}
