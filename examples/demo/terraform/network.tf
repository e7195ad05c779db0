data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_vpc" "orders" {
  cidr_block           = "10.20.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_subnet" "private" {
  count = 2

  vpc_id            = aws_vpc.orders.id
  cidr_block        = cidrsubnet(aws_vpc.orders.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.available.names[count.index]
}

resource "aws_security_group" "workers" {
  name        = "orders-workers"
  description = "Workers of the orders service"
  vpc_id      = aws_vpc.orders.id

  ingress {
    description = "HTTPS from the load balancer"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = [aws_vpc.orders.cidr_block]
  }

  ingress {
    description = "SSH for support"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_flow_log" "orders" {
  vpc_id               = aws_vpc.orders.id
  traffic_type         = "ALL"
  log_destination_type = "s3"
  log_destination      = aws_s3_bucket.invoices.arn
}
