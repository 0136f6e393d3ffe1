# The AWS SDK for Ruby as a program: one request a line in, one answer a line out (see clients_test.go).
# frozen_string_literal: true

require 'json'
require 'aws-sdk-core'

# What each operation is called with when only its refusal matters.
ARGUMENTS = {
  'RegisterClient' => { client_name: 'interop', client_type: 'public' },
  'StartDeviceAuthorization' => { client_id: 'c', client_secret: 's', start_url: 'u' },
  'CreateToken' => { client_id: 'c', client_secret: 's', grant_type: 'refresh_token', refresh_token: 'r' },
  'ListAccounts' => { access_token: 't' },
  'ListAccountRoles' => { access_token: 't', account_id: '111111111111' },
  'GetRoleCredentials' => { access_token: 't', account_id: '111111111111', role_name: 'r' },
  'Logout' => { access_token: 't' }
}.freeze

SERVICES = { 'sso-oidc' => Aws::SSOOIDC, 'sso' => Aws::SSO }.freeze

def version(_request)
  { version: "AWS SDK for Ruby #{Aws::CORE_GEM_VERSION}" }
end

# chosen is the profile as an option. Without one the SDK's chain looks elsewhere, and nothing there names a region.
def chosen(request)
  request['profile'].to_s.empty? ? { region: 'us-east-1' } : { profile: request['profile'] }
end

def identity(request)
  who = Aws::STS::Client.new(**chosen(request)).get_caller_identity
  { account: who.account, arn: who.arn }
end

def credentials(request)
  provider = Aws::STS::Client.new(**chosen(request)).config.credentials
  found = provider.credentials
  answer = { access_key_id: found.access_key_id }
  answer[:account] = found.account_id if found.account_id
  answer[:expires] = provider.expiration.utc.iso8601 if provider.respond_to?(:expiration) && provider.expiration
  answer
end

def token(request)
  { expires: Aws.shared_config.sso_token_from_config(profile: request['profile']).token.expiration.utc.iso8601 }
end

def call(request)
  service = SERVICES.fetch(request['service'])
  operation = request['op'].gsub(/(?<!^)[A-Z]/, '_\0').downcase
  # The SDK's own retry mode takes no notice of AWS_MAX_ATTEMPTS, and the refusal to type is the first answer.
  client = service::Client.new(region: 'us-east-1', credentials: nil, retry_limit: 0)
  client.public_send(operation, ARGUMENTS.fetch(request['op']))
  { status: 200 }
rescue Aws::Errors::ServiceError => e
  # Any code gets a class, made when it is first asked for; a type stands only beside those that the model knows.
  code = e.class.name.split('::').last
  {
    type: service::Types.const_defined?(code, false) ? code : '',
    code: e.code,
    status: e.context.http_response.status_code,
    message: e.data.respond_to?(:error_description) && e.data.error_description || e.message
  }
end

$stdin.each_line do |line|
  request = JSON.parse(line)
  answer =
    begin
      case request['do']
      when 'version' then version(request)
      when 'identity' then identity(request)
      when 'credentials' then credentials(request)
      when 'token' then token(request)
      when 'call' then call(request)
      else raise ArgumentError, "cannot do #{request['do']}"
      end
    rescue StandardError => e # whatever a client makes of it is the answer
      { error: e.class.name, message: e.message }
    end
  puts JSON.generate(answer)
  $stdout.flush
end
