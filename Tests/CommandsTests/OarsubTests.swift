// What `oarsub` sends, prints and ends with; texts as OAR 2.5.9 was recorded to print them.

import ClusterModel
import Glibc
import Testing
import Wire

@testable import CommandLine
@testable import UserCommands

private let modified = "Modify resource description with type constraints"

/// Calls oarsub and answers its submission with `reply`; returns what it sent as well.
private func submit(
  _ words: [String], answer reply: ServerReply? = nil
) throws -> (result: CallResult, sent: Submission?) {
  let seen = Seen<Submission>()
  let result = try call(Oarsub.self, ["oarsub"] + words, variables: ["PWD": "/tmp/../tmp"]) {
    client, event in
    guard case .request(let id, .submit(let submission)) = event else { return }
    seen.add(submission)
    let count = submission.arraySize
    client.reply(
      id,
      reply
        ?? .submitted(SubmissionResult(remarks: [modified], first: 4, count: count, arrayID: 4)))
  }
  return (result, seen.all.first)
}

private func refusal(
  _ kind: Refusal.Kind, _ message: String, remarks: [String] = []
) -> ServerReply {
  .refused(Refusal(kind, message, remarks: remarks))
}

/// A file for the time of a test.
private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
  let path = "/tmp/liburna-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
  let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o644)
  _ = writeAll(Array(text.utf8), to: descriptor)
  close(descriptor)
  defer { unlink(path) }
  return try body(path)
}

@Suite("oarsub speaks as OAR 2.5 does")
struct OarsubOutputTests {
  @Test("an accepted job is told with the rules' remarks and its id")
  func accepted() throws {
    let (result, _) = try submit(["-l", "core=1,walltime=0:1:0", "sleep 1"])
    #expect(
      result.output == """
        [ADMISSION RULE] Modify resource description with type constraints
        OAR_JOB_ID=4

        """)
    #expect(result.errors == "")
    #expect(result.code == 0)
  }

  @Test("an array is told with each id and its own")
  func array() throws {
    let (result, sent) = try submit(["--array", "3", "-l", "core=1,walltime=0:1", "echo"])
    #expect(
      result.output == """
        [ADMISSION RULE] Modify resource description with type constraints
        OAR_JOB_ID=4
        OAR_JOB_ID=5
        OAR_JOB_ID=6
        OAR_ARRAY_ID=4

        """)
    #expect(result.errors == "Simple array job submission is used\n")
    #expect(sent?.arraySize == 3)
  }

  @Test(
    "the data formats follow the ids",
    arguments: [
      ("-J", "{\n   \"job_id\" : 4\n}\n"), ("-Y", "---\njob_id: 4\n"), ("-D", "{'job_id' => 4}"),
    ])
  func dataFormats(option: String, document: String) throws {
    let (result, _) = try submit([option, "-l", "core=1,walltime=0:1", "sleep 1"])
    #expect(
      result.output == """
        [ADMISSION RULE] Modify resource description with type constraints
        OAR_JOB_ID=4

        ##########
        \(document)
        ##########


        """)
  }

  @Test("an array has a document for each job")
  func arrayDocuments() throws {
    let (result, _) = try submit(["-J", "--array", "2", "-l", "core=1,walltime=0:1", "sleep 1"])
    #expect(
      result.output.hasSuffix(
        """
        OAR_ARRAY_ID=4

        ##########
        {
           "job_id" : 4
        }
        {
           "job_id" : 5
        }

        ##########


        """))
  }

  @Test("--json prints one document and nothing else")
  func ownDocument() throws {
    let (result, _) = try submit(["--json", "sleep 1"])
    #expect(result.output.hasPrefix("{\n  \"format\": 1,\n  \"jobs\": ["))
    #expect(result.output.contains("\n  \"array\": 4,\n"))
    let (refused, _) = try submit(
      ["--json", "sleep 1"], answer: refusal(.notEnoughResources, "host=100: there are 2"))
    #expect(refused.output.contains("\"error\": \"notEnoughResources\""))
    #expect(refused.code == 8)
  }

  @Test("an impossible request has OAR's id, texts and exit code")
  func impossible() throws {
    let remarks = ["Set default walltime to 7200.", modified]
    let (result, _) = try submit(
      ["-J", "-l", "host=100", "sleep 1"],
      answer: refusal(
        .notEnoughResources, "There are not enough resources for your request", remarks: remarks))
    #expect(
      result.output == """
        [ADMISSION RULE] Set default walltime to 7200.
        [ADMISSION RULE] Modify resource description with type constraints
        OAR_JOB_ID=-5

        ##########
        {
           "job_id" : -5
        }

        ##########


        """)
    #expect(
      result.errors == """
        There are not enough resources for your request
        [ERROR] Oarsub failed, please verify your request syntax.

        """)
    #expect(result.code == 8)
  }

  @Test(
    "refusals have OAR's texts and exit codes",
    arguments: [
      (
        refusal(.badProperty, "column \"foo\" does not exist"),
        "Bad resource request (column \"foo\" does not exist)\n"
          + "[ERROR] Oarsub failed, please verify your request syntax.\n", "OAR_JOB_ID=-5\n",
        Int32(8)
      ),
      (
        refusal(.unknownType, "unknown job type: foo", remarks: ["Set default walltime to 7200."]),
        "[ADMISSION RULE] Error: unknown job type: foo\n\n",
        "[ADMISSION RULE] Set default walltime to 7200.\n", 254
      ),
      (
        refusal(.admission, "root and oar users are not allowed to submit jobs."),
        "[ADMISSION RULE] root and oar users are not allowed to submit jobs.\n\n", "", 254
      ),
      (
        refusal(.unknownQueue, "ERROR : The queue nosuch does not exist (there are: default)"),
        "ERROR : The queue nosuch does not exist\n(there are: default)\n", "", 248
      ),
      (
        refusal(.unavailable, "The disk of the server is full."),
        "[ERROR] The disk of the server is full.\nNo job was submitted.\n", "", 9
      ),
    ])
  func refusals(reply: ServerReply, errors: String, output: String, code: Int32) throws {
    let (result, _) = try submit(["-q", "nosuch", "sleep 1"], answer: reply)
    #expect(result.errors == errors)
    #expect(result.output == output)
    #expect(result.code == code)
  }

  @Test(
    "a request that can't be read is named as OAR names it, and the server's reason follows",
    arguments: [
      ("host=-1", "the resource description : host=-1"),
      ("core", "the resource description : core"),
      ("", "--  -- resource"), ("core=1,walltime=abc", "-- ,walltime=abc -- resource"),
    ])
  func unreadable(request: String, text: String) throws {
    let words = ["-l", "core=1", "-l", request, "sleep 1"]
    let (result, _) = try submit(words, answer: refusal(.badResourceRequest, "the reason"))
    #expect(result.output == "")
    #expect(result.errors == "/!\\ Cannot recognize \(text)\nthe reason\n")
    #expect(result.code == 255)
  }

  @Test("output that can't be written is an error")
  func fullDisk() throws {
    let descriptor = open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    let errors = TextStream()
    let context = CommandContext(
      words: ["oarsub", "--help"], output: TextStream(descriptor: descriptor), errors: errors,
      input: -1, variable: { _ in nil }, connect: { _ in throw ServerUnreachable(reason: "") })
    #expect(Oarsub.call(in: context) == 1)
    #expect(
      errors.captured == "[ERROR] The output could not be written: No space left on device.\n")
  }

  @Test("a job submitted again is told as OAR tells it")
  func resubmission() throws {
    let result = try call(Oarsub.self, ["oarsub", "--resubmit", "4"]) { client, event in
      guard case .request(let id, .resubmit(4)) = event else { return }
      client.reply(
        id, .submitted(SubmissionResult(remarks: [], first: 43, count: 1, arrayID: 43)))
    }
    #expect(result.output == "Resubmitting job 4...DONE\nOAR_JOB_ID=43\n")
    let refused = try call(Oarsub.self, ["oarsub", "--resubmit", "4"]) { client, event in
      guard case .request(let id, _) = event else { return }
      client.reply(id, refusal(.notOwner, "The job 4 is alice's."))
    }
    #expect(refused.output == "Resubmitting job 4...")
    #expect(refused.errors.hasPrefix("[ERROR] You are not the right user.\n"))
    #expect(refused.code == 4)
  }

  @Test("without a server nothing is submitted, and that is said")
  func noServer() throws {
    let result = try call(Oarsub.self, ["oarsub", "sleep 1"])
    #expect(result.code == 9)
    #expect(result.output == "")
    #expect(result.errors.contains("/nonexistent/liburna-test.sock"))
    #expect(result.errors.contains("No job was submitted."))
  }

  @Test("an answer that is lost is not taken for a refusal")
  func lostAnswer() throws {
    let result = try call(Oarsub.self, ["oarsub", "sleep 1"]) { client, event in
      if case .request = event { client.hangUp() }
    }
    #expect(result.code == 9)
    #expect(result.errors.contains("Whether a job was submitted is not known"))
  }
}

@Suite("oarsub sends what was asked for")
struct OarsubRequestTests {
  @Test("every option reaches the server")
  func options() throws {
    let words = [
      "-l", "host=1", "-l", "core=2,walltime=1", "-p", "gpu = 'YES'", "-q", "q1", "-t",
      "besteffort", "-t", "idempotent", "-n", "jobname", "--project", "p1", "-O", "o.%jobid%", "-E",
      "e.%jobid%", "-d", "/", "-a", "3", "-a", "4", "--hold", "--checkpoint", "30", "--signal",
      "10", "--notify", "[END]mail:me@here", "./run it",
    ]
    let sent = try #require(try submit(words).sent)
    #expect(sent.resources == ["host=1", "core=2,walltime=1"])
    #expect(sent.properties == "gpu = 'YES'")
    #expect(sent.queue == "q1")
    #expect(sent.types == ["besteffort", "idempotent"])
    #expect(sent.name == "jobname")
    #expect(sent.project == "p1")
    #expect(sent.stdout == "o.%jobid%")
    #expect(sent.stderr == "e.%jobid%")
    #expect(sent.directory == "/")
    #expect(sent.dependencies == [3, 4])
    #expect(sent.hold)
    #expect(sent.checkpoint == 30)
    #expect(sent.checkpointSignal == 10)
    #expect(sent.notify == "[END]mail:me@here")
    #expect(sent.command == "./run it")
    #expect(sent.kind == .passive)
    #expect(sent.initialRequest == "oarsub " + words.joined(separator: " "))
    #expect(sent.submissionHost == hostName())
  }

  @Test("lines of the script add options, and the command line overrules them")
  func script() throws {
    let text = "#!/bin/sh\n#OAR -l core=1\n#OAR -n scripted\n#OAR --project p2\ntrue\n"
    try withFile(text) { path in
      let (result, sent) = try submit(["-S", "-n", "typed", "-l", "host=1", "\(path) x y"])
      #expect(sent?.resources == ["host=1", "core=1"])
      #expect(sent?.name == "typed")
      #expect(sent?.project == "p2")
      #expect(sent?.command == "\(path) x y")
      #expect(sent?.initialRequest.hasSuffix("--name scripted --project p2") == true)
      #expect(result.errors == "The script's --name is overruled by the command line's.\n")
    }
  }

  @Test("a script with a line that is no option is refused with the line")
  func badScript() throws {
    try withFile("#!/bin/sh\n#OAR -l core=1\n#OAR --nosuch\n") { path in
      let (result, sent) = try submit(["-S", path])
      #expect(sent == nil)
      #expect(result.code == 12)
      #expect(result.errors.contains("line 3"))
      #expect(result.errors.contains("--nosuch"))
    }
  }

  @Test("each line of a parameter file makes a job; comments and blank lines do not")
  func parameterFile() throws {
    try withFile("a 1\n\n# no\n  b 2\nc\n") { path in
      let (result, sent) = try submit(["--array-param-file", path, "-l", "core=1", "./job.sh"])
      #expect(sent?.parameters == ["a 1", "  b 2", "c"])
      #expect(sent?.arraySize == 3)
      #expect(result.output.hasSuffix("OAR_JOB_ID=6\nOAR_ARRAY_ID=4\n"))
      #expect(result.errors == "Simple array job submission is used\n")
    }
  }

  @Test("job keys are accepted and explained")
  func jobKeys() throws {
    let (result, sent) = try submit(["-k", "-e", "key.%jobid%", "sleep 1"])
    #expect(result.code == 0)
    #expect(sent != nil)
    #expect(result.errors.hasPrefix("Job keys are not needed here"))
  }

  @Test("a noop job needs no command")
  func noop() throws {
    #expect(try submit(["-t", "noop", "-l", "host=1,walltime=0:0:5"]).result.code == 0)
  }

  @Test(
    "bad calls are refused before anything is sent",
    arguments: [
      ([], 5, ""), (["sleep", "1"], 5, "'sleep 1'"),
      (["--array", "0", "true"], 6, "positive number"),
      (
        ["--array", "-3", "true"], 6,
        "[ERROR] An array job must have a positive number of sub-jobs."
      ),
      (["--array", "x", "true"], 1, "Value \"x\" invalid for option array (number expected)"),
      (["--checkpoint", "x", "true"], 1, "Value \"x\" invalid for option checkpoint"),
      (["--checkpoint", "-1", "true"], 1, "Value \"-1\" invalid for option checkpoint (0 to"),
      (["--signal", "99", "true"], 1, "Value \"99\" invalid for option signal (1 to 64"),
      (["--nosuchoption"], 1, "Unknown option: nosuchoption"),
      (["--notify", "foo", "true"], 250, "/!\\Bad syntax for the notify option"),
      (["--notify", "[END]", "true"], 250, "/!\\Bad syntax for the notify option"),
      (["-r", "tomorrow", "true"], 7, "Syntax error near the -r or --reservation option."),
      (["-r", "2030-02-01", "true"], 7, "Syntax error near the -r"),
      (["-I", "-r", "now"], 7, "[ERROR] An advance reservation cannot be interactive."),
      (["-r", "2030-02-31 10:00:00", "true"], 7, "Syntax error near the -r"),
      (["-r", "now,now,now", "true"], 7, "Syntax error near the -r"),
      (["-S", "./nofile.sh"], 12, "[ERROR] Cannot open the file ./nofile.sh."),
      (["-S"], 5, ""), (["-S", "/"], 12, "Is a directory"),
      (
        ["--array-param-file", "/nonexistent", "true"], 12,
        "Cannot open the parameter file /nonexistent."
      ),
      (["--array-param-file", "/dev/null", "true"], 6, "/dev/null"),
      (["-I", "--array", "2"], 8, "/!\\ An array job cannot be interactive."),
      (["-I", "-t", "noop"], 17, "[ERROR] A noop job cannot be interactive."),
      (
        ["-I", "-t", "desktop_computing"], 17,
        "[ERROR] A desktop computing job cannot be interactive."
      ),
      (["-d", "/nonexistent", "true"], 8, "directory /nonexistent: No such file or directory"),
      (["-d", "/etc/passwd", "true"], 8, "directory /etc/passwd: Not a directory"),
      (["--stagein", "x", "true"], 8, "desktop computing"),
      (["-C", "abc"], 1, "Value \"abc\" invalid for option C"),
    ] as [([String], Int32, String)])
  func badCalls(words: [String], code: Int32, message: String) throws {
    let (result, sent) = try submit(words)
    #expect(result.code == code)
    #expect(message.isEmpty || result.errors.contains(message))
    #expect(sent == nil)
    #expect(result.output.isEmpty || result.output.hasPrefix("Usage: oarsub"))
  }

  @Test("a request of a megabyte is sent whole, for the server to judge")
  func hugeRequest() throws {
    let huge = String(repeating: "x", count: 1 << 20)
    let (result, sent) = try submit(
      ["-l", huge, "true"], answer: refusal(.badResourceRequest, "too long"))
    #expect(sent?.resources.first?.utf8.count == 1 << 20)
    #expect(result.code == 255)
    #expect(result.errors.utf8.count < 300)
  }
}
