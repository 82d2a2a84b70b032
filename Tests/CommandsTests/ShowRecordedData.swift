// What OAR 2.5.9 printed for programs about the jobs and resources of `Recorded`; addresses of
// memory, which differ in each run, are taken out.

enum RecordedData {
  static let shortJSON = #"""
    {
       "50" : {
          "array_index" : 1,
          "startTime" : 1795177227,
          "dependencies" : [],
          "resubmit_job_id" : 0,
          "jobType" : "PASSIVE",
          "project" : "default",
          "stderr_file" : "OAR.jobA.50.stderr",
          "launchingDirectory" : "/home/alice",
          "state" : "Running",
          "assigned_resources" : [
             1,
             2
          ],
          "assigned_network_address" : [
             "node1"
          ],
          "reservation" : "None",
          "submissionTime" : 1795177226,
          "owner" : "alice",
          "cpuset_name" : "alice_50",
          "queue" : "default",
          "name" : "jobA",
          "Job_Id" : 50,
          "message" : "R=2,W=0:20:0,J=B,N=jobA (Karma=0.000,quota_ok)",
          "types" : [],
          "stdout_file" : "OAR.jobA.50.stdout",
          "array_id" : 50,
          "properties" : "(desktop_computing = 'NO') AND drain='NO'",
          "command" : "sleep 600"
       }
    }

    """#

  static let fullJSON = #"""
    {
       "53" : {
          "name" : null,
          "Job_Id" : 53,
          "owner" : "bob",
          "job_user" : "bob",
          "message" : "R=2,W=0:5:0,J=B (Karma=0.000,quota_ok)",
          "wanted_resources" : "-l \"{type = 'default'}/core=1,walltime=0:10:0\" -l \"{type = 'default'}/core=2,walltime=0:5:0\" ",
          "stopTime" : 0,
          "reservation" : "None",
          "stdout_file" : "OAR.53.stdout",
          "array_id" : 53,
          "walltime" : 300,
          "stderr_file" : "OAR.53.stderr",
          "resubmit_job_id" : 0,
          "properties" : "(desktop_computing = 'NO') AND drain='NO'",
          "array_index" : 1,
          "exit_code" : null,
          "launchingDirectory" : "/home/bob",
          "queue" : "default",
          "startTime" : 1795177235,
          "jobType" : "PASSIVE",
          "project" : "default",
          "cpuset_name" : "bob_53",
          "assigned_network_address" : [
             "node2"
          ],
          "submissionTime" : 1795177232,
          "assigned_resources" : [
             3,
             4
          ],
          "command" : "sleep 100",
          "scheduledStart" : 1795177235,
          "dependencies" : [],
          "events" : [],
          "types" : [],
          "initial_request" : "",
          "state" : "Running"
       }
    }

    """#

  static let shortYAML = #"""
    ---
    50:
      Job_Id: 50
      array_id: 50
      array_index: 1
      assigned_network_address:
        - node1
      assigned_resources:
        - 1
        - 2
      command: sleep 600
      cpuset_name: alice_50
      dependencies: []
      jobType: PASSIVE
      launchingDirectory: /home/alice
      message: 'R=2,W=0:20:0,J=B,N=jobA (Karma=0.000,quota_ok)'
      name: jobA
      owner: alice
      project: default
      properties: (desktop_computing = 'NO') AND drain='NO'
      queue: default
      reservation: None
      resubmit_job_id: 0
      startTime: 1795177227
      state: Running
      stderr_file: OAR.jobA.50.stderr
      stdout_file: OAR.jobA.50.stdout
      submissionTime: 1795177226
      types: []

    """#

  static let shortDump = #"""
    {
      '50' => {
        'message' => 'R=2,W=0:20:0,J=B,N=jobA (Karma=0.000,quota_ok)',
        'name' => 'jobA',
        'state' => 'Running',
        'jobType' => 'PASSIVE',
        'assigned_network_address' => [
          'node1'
        ],
        'command' => 'sleep 600',
        'project' => 'default',
        'submissionTime' => 1795177226,
        'array_index' => 1,
        'owner' => 'alice',
        'assigned_resources' => [
          1,
          2
        ],
        'stdout_file' => 'OAR.jobA.50.stdout',
        'dependencies' => [],
        'reservation' => 'None',
        'types' => [],
        'startTime' => 1795177227,
        'array_id' => 50,
        'Job_Id' => 50,
        'resubmit_job_id' => 0,
        'launchingDirectory' => '/home/alice',
        'properties' => '(desktop_computing = \'NO\') AND drain=\'NO\'',
        'stderr_file' => 'OAR.jobA.50.stderr',
        'cpuset_name' => 'alice_50',
        'queue' => 'default'
      }
    }

    """#

  static let shortXML = #"""
    <?xml version="1.0"?>
    <!DOCTYPE perldata [
      <!ELEMENT scalar (#PCDATA)>
      <!ELEMENT scalarref (#PCDATA)>
      <!ATTLIST scalarref 
    	blessed_package CDATA #IMPLIED
       	memory_address CDATA #IMPLIED>
      <!ELEMENT arrayref (item*)>
      <!ATTLIST arrayref 
    	blessed_package CDATA #IMPLIED
       	memory_address CDATA #IMPLIED>
      <!ELEMENT hashref (item*)>
      <!ATTLIST hashref 
    	blessed_package CDATA #IMPLIED
       	memory_address CDATA #IMPLIED>
      <!ELEMENT item (#PCDATA|scalar|scalarref|arrayref|hashref)*>
      <!ATTLIST item 
    	key CDATA #REQUIRED
    	defined CDATA #IMPLIED>
      <!ELEMENT perldata (scalar|scalarref|arrayref|hashref)*>
    ]>
    <perldata>
     <hashref>
      <item key="50">
       <hashref>
        <item key="Job_Id">50</item>
        <item key="array_id">50</item>
        <item key="array_index">1</item>
        <item key="assigned_network_address">
         <arrayref>
          <item key="0">node1</item>
         </arrayref>
        </item>
        <item key="assigned_resources">
         <arrayref>
          <item key="0">1</item>
          <item key="1">2</item>
         </arrayref>
        </item>
        <item key="command">sleep 600</item>
        <item key="cpuset_name">alice_50</item>
        <item key="dependencies">
         <arrayref>
         </arrayref>
        </item>
        <item key="jobType">PASSIVE</item>
        <item key="launchingDirectory">/home/alice</item>
        <item key="message">R=2,W=0:20:0,J=B,N=jobA (Karma=0.000,quota_ok)</item>
        <item key="name">jobA</item>
        <item key="owner">alice</item>
        <item key="project">default</item>
        <item key="properties">(desktop_computing = &apos;NO&apos;) AND drain=&apos;NO&apos;</item>
        <item key="queue">default</item>
        <item key="reservation">None</item>
        <item key="resubmit_job_id">0</item>
        <item key="startTime">1795177227</item>
        <item key="state">Running</item>
        <item key="stderr_file">OAR.jobA.50.stderr</item>
        <item key="stdout_file">OAR.jobA.50.stdout</item>
        <item key="submissionTime">1795177226</item>
        <item key="types">
         <arrayref>
         </arrayref>
        </item>
       </hashref>
      </item>
     </hashref>
    </perldata>

    """#

  static let resourceJSON = #"""
    {
       "1" : {
          "resource_id" : 1,
          "cpuset" : "0",
          "core" : 1,
          "available_upto" : 2147483647,
          "besteffort" : "YES",
          "drain" : "NO",
          "last_job_date" : 1795177197,
          "jobs" : "50",
          "deploy" : "NO",
          "next_finaud_decision" : "NO",
          "suspended_jobs" : "NO",
          "state" : "Alive",
          "type" : "default",
          "expiry_date" : 0,
          "state_num" : 1,
          "network_address" : "node1",
          "next_state" : "UnChanged",
          "desktop_computing" : "NO",
          "host" : "node1",
          "last_available_upto" : 0,
          "scheduler_priority" : 0,
          "finaud_decision" : "NO"
       }
    }

    """#

  static let resourceXML = #"""
    <?xml version="1.0"?>
    <!DOCTYPE perldata [
      <!ELEMENT scalar (#PCDATA)>
      <!ELEMENT scalarref (#PCDATA)>
      <!ATTLIST scalarref 
    	blessed_package CDATA #IMPLIED
       	memory_address CDATA #IMPLIED>
      <!ELEMENT arrayref (item*)>
      <!ATTLIST arrayref 
    	blessed_package CDATA #IMPLIED
       	memory_address CDATA #IMPLIED>
      <!ELEMENT hashref (item*)>
      <!ATTLIST hashref 
    	blessed_package CDATA #IMPLIED
       	memory_address CDATA #IMPLIED>
      <!ELEMENT item (#PCDATA|scalar|scalarref|arrayref|hashref)*>
      <!ATTLIST item 
    	key CDATA #REQUIRED
    	defined CDATA #IMPLIED>
      <!ELEMENT perldata (scalar|scalarref|arrayref|hashref)*>
    ]>
    <perldata>
     <hashref>
      <item key="1">
       <hashref>
        <item key="available_upto">2147483647</item>
        <item key="besteffort">YES</item>
        <item key="core">1</item>
        <item key="cpuset">0</item>
        <item key="deploy">NO</item>
        <item key="desktop_computing">NO</item>
        <item key="drain">NO</item>
        <item key="expiry_date">0</item>
        <item key="finaud_decision">NO</item>
        <item key="host">node1</item>
        <item key="jobs">50</item>
        <item key="last_available_upto">0</item>
        <item key="last_job_date">1795177197</item>
        <item key="network_address">node1</item>
        <item key="next_finaud_decision">NO</item>
        <item key="next_state">UnChanged</item>
        <item key="resource_id">1</item>
        <item key="scheduler_priority">0</item>
        <item key="state">Alive</item>
        <item key="state_num">1</item>
        <item key="suspended_jobs">NO</item>
        <item key="type">default</item>
       </hashref>
      </item>
     </hashref>
    </perldata>

    """#

  /// Cut to one job and one resource.
  static let ganttJSON = #"""
    {
       "resources" : [
          {
             "drain" : "NO",
             "next_state" : "UnChanged",
             "state_num" : 1,
             "available_upto" : 2147483647,
             "core" : 1,
             "suspended_jobs" : "NO",
             "finaud_decision" : "NO",
             "type" : "default",
             "host" : "node1",
             "besteffort" : "YES",
             "scheduler_priority" : 0,
             "state" : "Alive",
             "network_address" : "node1",
             "last_available_upto" : 0,
             "last_job_date" : 1795177197,
             "next_finaud_decision" : "NO",
             "desktop_computing" : "NO",
             "deploy" : "NO",
             "cpuset" : "0",
             "resource_id" : 1,
             "expiry_date" : 0
          }
       ],
       "jobs" : {
          "50" : {
             "queue_name" : "default",
             "launching_directory" : "/home/alice",
             "properties" : "(desktop_computing = 'NO') AND drain='NO'",
             "command" : "sleep 600",
             "submission_time" : 1795177226,
             "start_time" : 1795177227,
             "walltime" : 1200,
             "project" : "default",
             "network_address" : [
                "node1",
                "node1"
             ],
             "job_type" : "PASSIVE",
             "state" : "Running",
             "job_id" : 50,
             "resource_id" : [
                1,
                2
             ],
             "user" : "alice",
             "job_name" : "jobA",
             "stop_time" : 1795178427
          }
       },
       "dead_resources" : {}
    }

    """#
}
