"""The gRPC server: admission, batching, the service, and the life of the process."""
